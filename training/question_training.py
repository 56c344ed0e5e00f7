"""Trains one variant of the streak-reducing network, and restores slices with it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from question_losses import LossName, streak_loss, total_variation
from question_slices import SliceSet
from torch import Tensor, nn

from dfsynth.checkpoint import CascadeConfig
from dfsynth.checkpoint.cascade import Likelihood
from dfsynth.devices import mixed_precision
from dfsynth.inference.dropout import dropout_masks
from dfsynth.models import Cascade, Prediction, gennorm_nll
from dfsynth.models.heads import interpret
from dfsynth.models.residual_unet import ResidualUNet
from dfsynth.records import Float32Map

GUIDE: Final = "attenuation"
"""The input whose edges are kept where slices are smoothed."""
_CLIP_NORM: Final = 1.0
_DROPOUT: Final = 0.1
_SYMMETRIES: Final = 8
_SPAN_PER_M: Final = 4.0
"""What a cascade sees as 1: its widths start small, as fits a window from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What all trainings share; equal settings and seeds give equal networks on one machine."""

    steps: int = 900
    batch: int = 16
    patch: int = 64
    widths: tuple[int, ...] = (8, 16, 32, 64, 128)
    learning_rate: float = 1e-3
    weight_decay: float = 0.1
    precision: str = "fp32"
    """Of training; restored slices are computed in `fp32`."""
    samples: int = 8
    """Of dropout, for each slice that a cascade with uncertainty restores."""


@dataclass(frozen=True, slots=True)
class Variant:
    """What differs in one training from the plain U-Net with L2."""

    name: str
    inputs: tuple[str, ...] = ("single_rotation",)
    target: str = "multi_rotation"
    loss: LossName = "l2"
    likelihood: Likelihood = "point"
    """Other than `point`: the loss is its negative log-likelihood, with dropout 0.1."""
    stages: int = 1
    longer: int = 1
    """Times the steps."""
    wider: int = 1
    """Times the channels."""
    flatness: float = 0.0
    """Weight of the total variation of what is restored, beside the loss."""
    averaged: bool = False
    """Whether restored slices are also measured averaged over eight symmetries; and, if attenuation
    is among the inputs, smoothed along its edges too."""

    @property
    def guided(self) -> bool:
        """Whether restored slices are also measured smoothed along the edges of attenuation."""
        return self.averaged and GUIDE in self.inputs


class Restorer(nn.Module):
    """A plain U-Net, or a cascade of them: images (n, channels, y, x) in 1/m → its stages.

    The first channel is what streaks are taken from.
    """

    def __init__(self, variant: Variant, widths: tuple[int, ...]) -> None:
        super().__init__()
        wide = tuple(width * variant.wider for width in widths)
        self.network: ResidualUNet | Cascade
        if variant.stages == 1 and variant.likelihood == "point":
            self.network = ResidualUNet(len(variant.inputs), 1, wide)
            self.mask_width = sum(self.network.dropout_channels)
        else:
            config = CascadeConfig(
                stages=variant.stages,
                widths=wide,
                dropout=0.0 if variant.likelihood == "point" else _DROPOUT,
                lung_head=False,
                backbone="residual-unet",
                likelihood=variant.likelihood,
            )
            self.network = Cascade(config)
            self.mask_width = self.network.mask_width

    def forward(self, images: Tensor, masks: Tensor | None = None) -> list[Prediction]:
        """Predicts every stage; masks (n · samples, mask_width) of dropout, none for none."""
        if masks is None:
            masks = images.new_ones(len(images), self.mask_width)
        if isinstance(self.network, Cascade):
            stages = self.network(images / _SPAN_PER_M, masks)
            return [
                Prediction(_SPAN_PER_M * p.mean, _SPAN_PER_M * p.alpha, p.beta, lung_logit=None)
                for p in stages
            ]
        sites = masks.split(list(self.network.dropout_channels), dim=1)
        raw = self.network.decode(self.network.encode(images), sites)
        return [interpret(raw, None, "point", raw.new_zeros(()))]


def train(
    slices: SliceSet,
    directions: Float32Map,
    variant: Variant,
    settings: Settings,
    seed: int,
    device: torch.device,
    report: Callable[[int, float], None],
) -> Restorer:
    """A trained network, in evaluation mode.

    Args:
        slices: what to train on.
        directions: (n, 36), streaks of each by direction.
        variant: what to train.
        settings: what all trainings share.
        seed: of the initial weights, the order of the patches and dropout.
        device: where to compute.
        report: told step and loss now and then.
    """
    torch.default_generator.manual_seed(seed)
    restorer = Restorer(variant, settings.widths).train()
    # Twice as fast in bfloat16, for networks so narrow.
    restorer = restorer.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(
        restorer.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    steps = settings.steps * variant.longer
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    mean_weights = torch.from_numpy(directions.mean(axis=0)).to(device)
    batches = _batches(slices, directions, variant, settings, seed)
    for step in range(1, steps + 1):
        given, target, own = (each.to(device) for each in next(batches))
        masks = _dropout(restorer, len(given), variant).to(device)
        with mixed_precision(device, settings.precision):
            stages = restorer(given, masks)
        loss = sum_of_losses(variant, stages, target, (mean_weights, own))
        optimiser.zero_grad()
        loss.backward()
        if variant.likelihood != "point":
            nn.utils.clip_grad_norm_(restorer.parameters(), _CLIP_NORM)
        optimiser.step()
        schedule.step()
        if step % 100 == 0 or step == steps:
            report(step, float(loss.detach()))
    return restorer.eval()


def sum_of_losses(
    variant: Variant, stages: Sequence[Prediction], target: Tensor, weights: tuple[Tensor, Tensor]
) -> Tensor:
    """The loss of all stages against a target (n, 1, y, x); `weights` of directions: the mean (36)
    over the training slices, and those of each slice, (n, 36)."""
    loss = target.new_zeros(())
    for stage in stages:
        if variant.likelihood == "point":
            loss = loss + streak_loss(variant.loss, stage.mean - target, *weights)
            if variant.flatness:
                loss = loss + variant.flatness * total_variation(stage.mean)
        else:
            loss = loss + gennorm_nll(stage.mean, stage.alpha, stage.beta, target).mean()
    return loss


def restore(restorer: Restorer, image: Float32Map, averaged: bool) -> Float32Map:
    """The last stage's mean (y, x) of an image (channels, y, x), all in 1/m.

    `averaged`: the mean over all eight rotations and mirror images of the square, each turned back.
    """
    found = []
    for symmetry in range(_SYMMETRIES if averaged else 1):
        turned = np.ascontiguousarray(turn(image, symmetry))
        [mean] = run(restorer, turned, None)[-1].mean.cpu().numpy()[:, 0]
        found.append(turn_back(mean, symmetry))
    mean_of_all: Float32Map = np.stack(found).mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean_of_all


def sampled(
    restorer: Restorer, image: Float32Map, settings: Settings, seed: int, key: str
) -> list[tuple[Float32Map, Float32Map, Float32Map]]:
    """Mean, aleatoric and epistemic deviation of every stage, each (y, x) in 1/m, over dropout."""
    drawn = dropout_masks(seed, key, settings.samples, restorer.mask_width, _DROPOUT)
    moments = []
    for stage in run(restorer, image, torch.from_numpy(drawn)):
        mean = stage.mean[:, 0].double()
        aleatoric = stage.sigma[:, 0].double().square().mean(dim=0).sqrt()
        maps = (mean.mean(dim=0), aleatoric, mean.std(dim=0, correction=0))
        first, second, third = (each.float().cpu().numpy() for each in maps)
        moments.append((first, second, third))
    return moments


@torch.inference_mode()
def run(restorer: Restorer, image: Float32Map, masks: Tensor | None) -> list[Prediction]:
    """All stages of one image (channels, y, x), whatever its size; one for each row of masks."""
    device = next(restorer.parameters()).device
    height, width = image.shape[-2:]
    down, right = (-height % restorer.network.divisor, -width % restorer.network.divisor)
    padded = F.pad(torch.from_numpy(image)[None].to(device), (0, right, 0, down))
    if masks is not None:
        masks = masks.to(device)
        if not isinstance(restorer.network, Cascade):
            padded = padded.expand(len(masks), -1, -1, -1)
    stages = ((p.mean, p.alpha, p.beta) for p in restorer(padded, masks))
    cut = ((m[..., :height, :width] for m in stage) for stage in stages)
    return [Prediction(mean, alpha, beta, lung_logit=None) for mean, alpha, beta in cut]


def turn(image: NDArray[np.float32], symmetry: int) -> NDArray[np.float32]:
    """One of the eight symmetries of the square, by number, of maps (…, y, x)."""
    if symmetry & 4:
        image = image.swapaxes(-1, -2)
    if symmetry & 1:
        image = image[..., ::-1, :]
    return image[..., ::-1] if symmetry & 2 else image


def turn_back(image: NDArray[np.float32], symmetry: int) -> NDArray[np.float32]:
    """Undoes `turn`."""
    if symmetry & 2:
        image = image[..., ::-1]
    if symmetry & 1:
        image = image[..., ::-1, :]
    return image.swapaxes(-1, -2) if symmetry & 4 else image


def turn_directions(shares: NDArray[np.float32], symmetry: int) -> NDArray[np.float32]:
    """Shares (…, directions) of what runs in each direction over 180 degrees, after `turn`."""
    count = shares.shape[-1]
    place = np.arange(count)
    if symmetry & 4:
        shares = shares[..., (count // 2 - place) % count]
    if bool(symmetry & 1) != bool(symmetry & 2):
        shares = shares[..., -place % count]
    return shares


def _dropout(restorer: Restorer, images: int, variant: Variant) -> Tensor:
    keep = 1.0 if variant.likelihood == "point" else 1.0 - _DROPOUT
    drawn = torch.rand(images, restorer.mask_width, generator=torch.default_generator)
    return (drawn < keep).float() / keep


def _batches(
    slices: SliceSet, directions: Float32Map, variant: Variant, settings: Settings, seed: int
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Endless batches of patches: what is given, the target, and the directions of streaks."""
    random = np.random.default_rng(seed)
    maps: Mapping[str, Float32Map] = slices.maps
    side, patch = slices.side, settings.patch
    while True:
        given, targets, own = [], [], []
        for _ in range(settings.batch):
            index = int(random.integers(len(slices)))
            top, left = (int(corner) for corner in random.integers(side - patch + 1, size=2))
            symmetry = int(random.integers(_SYMMETRIES))
            cut = (..., slice(top, top + patch), slice(left, left + patch))
            given.append(turn(slices.channels(variant.inputs, index)[cut], symmetry))
            targets.append(turn(maps[variant.target][index][cut][None], symmetry))
            own.append(turn_directions(directions[index], symmetry))
        stacked = (np.stack(each) for each in (given, targets, own))
        first, second, third = (torch.from_numpy(np.ascontiguousarray(s)) for s in stacked)
        yield first, second, third
