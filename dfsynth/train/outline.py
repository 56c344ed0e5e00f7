"""A network that draws lung outlines, for radiographs over which nobody drew any."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from dfsynth.models.unet import UNet
from dfsynth.preprocess import to_unit_range
from dfsynth.records import Float32Map, IntensityWindow
from dfsynth.train.augment import Augmentation, change_look, draw_affine, warp

_BATCH = 8


def train_outliner(
    drawn: Sequence[tuple[Float32Map, Float32Map]],
    widths: Sequence[int],
    steps: int,
    learning_rate: float,
    seed: int,
    log: Callable[[int, float], None],
) -> UNet:
    """Trains on pairs of radiograph and outline, each (y, x) in [0, 1]."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = UNet(1, 1, widths).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters(), learning_rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, total_steps=steps)
    augmentation = Augmentation(rotation_deg=15, scale=(0.7, 1.3), aspect=(0.75, 1.33), shift=0.1)
    for step in range(steps):
        chosen = [drawn[i] for i in rng.integers(0, len(drawn), _BATCH)]
        pairs = [_augmented(image, outline, augmentation, rng) for image, outline in chosen]
        image, outline = (torch.from_numpy(np.stack(p))[:, None] for p in zip(*pairs, strict=True))
        with torch.autocast("cpu", torch.bfloat16):
            logit = network.decode(network.encode(image), _drop(network, rng))
        loss = F.binary_cross_entropy_with_logits(logit, outline) + _dice_loss(logit, outline)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        log(step, float(loss.detach()))
    return network.eval()


@torch.inference_mode()
def draw_outline(network: UNet, image: Float32Map) -> Float32Map:
    """Probability of lung for each pixel of `image` (y, x) in [0, 1], averaged with its mirror."""
    both = torch.from_numpy(np.stack([image, image[:, ::-1]]))[:, None]
    masks = [torch.ones(2, c) for c in network.dropout_channels]
    straight, mirrored = torch.sigmoid(network.decode(network.encode(both), masks))[:, 0].numpy()
    return np.asarray((straight + mirrored[:, ::-1]) / 2, np.float32)


def clean_outline(probability: Float32Map) -> NDArray[np.bool_]:
    """The two largest connected parts over one half, holes filled, (y, x)."""
    mask = (probability > 0.5).astype(np.uint8)
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened)
    order = sorted(range(1, count), key=lambda i: -int(stats[i, cv2.CC_STAT_AREA]))[:2]
    kept = np.isin(labels, order).astype(np.uint8)
    contours, _ = cv2.findContours(kept, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(kept)
    cv2.drawContours(filled, contours, -1, 1, cv2.FILLED)
    return filled > 0


def is_plausible(outline: NDArray[np.bool_], probability: Float32Map) -> bool:
    """Two parts of comparable size, a usual share of the picture, and few doubtful pixels."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(outline.astype(np.uint8))
    areas = sorted(stats[1:count, cv2.CC_STAT_AREA].tolist(), reverse=True)
    if len(areas) != 2 or not 0.08 < sum(areas) / outline.size < 0.55:
        return False
    doubtful = int(((probability > 0.2) & (probability < 0.8)).sum())
    return areas[1] / areas[0] > 0.4 and doubtful / sum(areas) < 0.25


def _augmented(
    image: Float32Map, outline: Float32Map, augmentation: Augmentation, rng: np.random.Generator
) -> tuple[Float32Map, Float32Map]:
    image, outline = warp([image, outline], draw_affine(augmentation, image.shape[1], rng))
    look = to_unit_range(change_look(image, augmentation, rng), IntensityWindow())
    return look, (outline > 0.5).astype(np.float32)


def _drop(network: UNet, rng: np.random.Generator) -> list[torch.Tensor]:
    return [
        torch.from_numpy((rng.random((_BATCH, c)) < 0.9).astype(np.float32) / np.float32(0.9))
        for c in network.dropout_channels
    ]


def _dice_loss(logit: torch.Tensor, outline: torch.Tensor) -> torch.Tensor:
    probability = torch.sigmoid(logit)
    overlap = (probability * outline).sum(dim=(1, 2, 3))
    total = (probability + outline).sum(dim=(1, 2, 3))
    return (1 - (2 * overlap + 1) / (total + 1)).mean()
