"""A small network that finds nodules: a compact U-Net whose map has a peak at the middle of each.

Zhou et al., Objects as points, arXiv 1904.07850: a Gaussian at each middle, and equation 1, the
focal loss that peaks and what is near them are weighed by.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from dfsynth.datasets import PairImages
from dfsynth.models.unet import UNet
from dfsynth.records import Float32Map

_PRIOR: Final = -4.6
"""Logit of 0.01: nearly no pixel is the middle of a nodule."""
_FOCUS: Final = 2.0
"""alpha of the paper."""
_NEAR: Final = 4.0
"""beta of the paper."""


@dataclass(frozen=True, slots=True)
class Nodule:
    """Where one nodule is in a picture."""

    row: float
    column: float
    """Of its middle, in pixels from the middle of the first."""
    radius_px: float
    diameter_mm: float
    """As drawn."""


@dataclass(frozen=True, slots=True)
class DetectorBudget:
    """How detectors are trained."""

    widths: tuple[int, ...] = (16, 32, 48)
    steps: int = 1500
    batch: int = 8
    rate: float = 2e-3


def nodules_of(pair: PairImages, diameters_mm: Sequence[float], pixel_mm: float) -> list[Nodule]:
    """The nodules of a pair that cover a pixel at least."""
    if pair.nodules is None:
        return []
    found = []
    for label in np.unique(pair.nodules[pair.nodules > 0]).astype(int):
        rows, columns = np.nonzero(pair.nodules == label)
        known = label <= len(diameters_mm)
        wide = diameters_mm[label - 1] if known else 2 * pixel_mm * np.sqrt(rows.size / np.pi)
        radius = max(wide / pixel_mm / 2, 0.5)
        found.append(Nodule(float(rows.mean()), float(columns.mean()), radius, float(wide)))
    return found


def heat_of(nodules: Sequence[Nodule], shape: tuple[int, int]) -> Float32Map:
    """What the network should give, (y, x): 1 at middles, a Gaussian around each."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    heat = np.zeros(shape, np.float32)
    for n in nodules:
        distance = (y - round(n.row)) ** 2 + (x - round(n.column)) ** 2
        sigma = max(n.radius_px / 2, 0.8)
        heat = np.maximum(heat, np.exp(-distance / (2 * sigma**2)))
    return heat.astype(np.float32)


class NoduleDetector(nn.Module):
    """Pictures (n, 1, H, W) → logits (n, 1, H, W) of the middles of nodules."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.network = UNet(1, 1, widths)
        self.network.zero_output()
        self.level = nn.Parameter(torch.tensor(_PRIOR))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        channels = self.network.dropout_channels
        whole = [x.new_ones(len(x), width) for width in channels]
        return self.network.decode(self.network.encode(x), whole) + self.level


def train_detector(
    pictures: NDArray[np.float32],
    heats: NDArray[np.float32],
    budget: DetectorBudget,
    seed: int,
    device: torch.device,
) -> NoduleDetector:
    """Trains on pictures (n, H, W) and heat maps (n, H, W), as often with nodules as without."""
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        # Layers draw their first weights from the global generator and take no other.
        torch.default_generator.manual_seed(seed)
        network = NoduleDetector(budget.widths).to(device)
    optimiser = torch.optim.AdamW(network.parameters(), budget.rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, budget.rate, budget.steps)
    has = heats.max(axis=(1, 2)) > 0
    groups = [group for group in (np.flatnonzero(has), np.flatnonzero(~has)) if group.size]
    for _ in range(budget.steps):
        chosen = [int(rng.choice(groups[i % len(groups)])) for i in range(budget.batch)]
        drawn = [_varied(pictures[i], heats[i], rng) for i in chosen]
        picture, heat = (
            torch.from_numpy(np.stack(part))[:, None].to(device)
            for part in zip(*drawn, strict=True)
        )
        loss = focal_loss(network(picture), heat)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return network.eval()


@torch.inference_mode()
def find_heat(
    network: NoduleDetector, pictures: NDArray[np.float32], device: torch.device
) -> NDArray[np.float32]:
    """Probabilities (n, H, W) of middles in pictures (n, H, W), averaged with mirror images."""
    found = []
    for picture in pictures:
        both = torch.from_numpy(np.stack([picture, picture[:, ::-1]]))[:, None].to(device)
        straight, mirrored = torch.sigmoid(network(both))[:, 0].cpu()
        found.append(((straight + mirrored.flip(-1)) / 2).numpy())
    return np.stack(found)


def focal_loss(logits: Tensor, heat: Tensor) -> Tensor:
    """Equation 1 of the paper: of logits and heat maps, both (n, 1, H, W); over all middles."""
    middle = heat == 1
    probability = torch.sigmoid(logits)
    there = (1 - probability) ** _FOCUS * F.logsigmoid(logits)
    elsewhere = (1 - heat) ** _NEAR * probability**_FOCUS * F.logsigmoid(-logits)
    return -torch.where(middle, there, elsewhere).sum() / middle.sum().clamp(min=1)


def _varied(
    picture: Float32Map, heat: Float32Map, rng: np.random.Generator
) -> tuple[Float32Map, Float32Map]:
    """Mirrored or not, with other contrast: nothing that resamples and so blurs."""
    if rng.random() < 0.5:
        picture, heat = picture[:, ::-1], heat[:, ::-1]
    gain, offset = np.exp(rng.normal(0, 0.1)), rng.normal(0, 0.05)
    changed = (picture * np.float32(gain) + np.float32(offset)).astype(np.float32)
    return changed, np.ascontiguousarray(heat)
