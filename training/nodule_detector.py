"""A small network that finds nodules: a compact U-Net whose map has a peak at the middle of each.

Zhou et al., Objects as points, arXiv 1904.07850: a Gaussian at each middle, and equation 1, the
focal loss that peaks and what is near them are weighed by. It sees bands of the picture, each the
difference of two Gaussians over the contrast around, as a blob of some size stands out in one of
them, and learns from crops, half of which have a nodule: a few hundred bodies have few of them.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage
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
_SCALES_PX: Final = (0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0)
"""Sigmas between which bands lie: a disc of radius r stands out most at r / sqrt(2)."""
BANDS: Final = len(_SCALES_PX) + 1
_LEAST_CONTRAST: Final = 0.02
"""Standard deviation of grey values that is added to that around a pixel."""


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
    steps: int = 600
    batch: int = 24
    rate: float = 3e-3
    crop_px: int = 48


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


def bands_of(picture: Float32Map) -> NDArray[np.float32]:
    """What the network sees of a picture (y, x), (`BANDS`, y, x): bands, and the picture itself."""
    smooth = [picture, *(ndimage.gaussian_filter(picture, sigma) for sigma in _SCALES_PX)]
    spread = ndimage.gaussian_filter((picture - smooth[-1]) ** 2, _SCALES_PX[-1])
    contrast = np.sqrt(np.maximum(spread, 0)) + _LEAST_CONTRAST
    bands = [(fine - coarse) / contrast for fine, coarse in itertools.pairwise(smooth)]
    return np.stack([*bands, picture]).astype(np.float32)


class NoduleDetector(nn.Module):
    """Bands of pictures (n, `BANDS`, H, W) → logits (n, 1, H, W) of the middles of nodules."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.scale = nn.BatchNorm2d(BANDS, affine=False)
        self.network = UNet(BANDS, 1, widths)
        self.network.zero_output()
        self.level = nn.Parameter(torch.tensor(_PRIOR))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        channels = self.network.dropout_channels
        whole = [x.new_ones(len(x), width) for width in channels]
        return self.network.decode(self.network.encode(self.scale(x)), whole) + self.level


def train_detector(
    pictures: NDArray[np.float32],
    heats: NDArray[np.float32],
    budget: DetectorBudget,
    seed: int,
    device: torch.device,
) -> NoduleDetector:
    """Trains on crops of pictures (n, H, W) and heat maps (n, H, W), half of them at nodules."""
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        # Layers draw their first weights from the global generator and take no other.
        torch.default_generator.manual_seed(seed)
        network = NoduleDetector(budget.widths).to(device)
    optimiser = torch.optim.AdamW(network.parameters(), budget.rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, budget.rate, budget.steps)
    bands, middles = np.stack([bands_of(each) for each in pictures]), np.argwhere(heats == 1)
    for _ in range(budget.steps):
        drawn = []
        for number in range(budget.batch):
            place = (
                _anywhere(heats.shape, rng) if number % 2 else middles[rng.integers(len(middles))]
            )
            drawn.append(_cropped(bands, heats, place, budget.crop_px, rng))
        picture, heat = (
            torch.from_numpy(np.stack(part)).to(device) for part in zip(*drawn, strict=True)
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
        both = torch.from_numpy(np.stack([bands_of(p) for p in (picture, picture[:, ::-1])]))
        straight, mirrored = torch.sigmoid(network(both.to(device)))[:, 0].cpu()
        found.append(((straight + mirrored.flip(-1)) / 2).numpy())
    return np.stack(found)


def focal_loss(logits: Tensor, heat: Tensor) -> Tensor:
    """Equation 1 of the paper: of logits and heat maps, both (n, 1, H, W); over all middles."""
    middle = heat == 1
    probability = torch.sigmoid(logits)
    there = (1 - probability) ** _FOCUS * F.logsigmoid(logits)
    elsewhere = (1 - heat) ** _NEAR * probability**_FOCUS * F.logsigmoid(-logits)
    return -torch.where(middle, there, elsewhere).sum() / middle.sum().clamp(min=1)


def _anywhere(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.intp]:
    return np.array([rng.integers(side) for side in shape], np.intp)


def _cropped(
    bands: NDArray[np.float32],
    heats: NDArray[np.float32],
    place: NDArray[np.intp],
    side: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Bands (`BANDS`, side, side) and heat (1, side, side) that hold a place (picture, y, x).

    Mirrored or not; nothing resamples and so blurs.
    """
    size = [min(side, whole) for whole in heats.shape[1:]]
    first = [
        int(np.clip(at - rng.integers(part // 4, part - part // 4), 0, whole - part))
        for at, part, whole in zip(place[1:], size, heats.shape[1:], strict=True)
    ]
    rows, columns = (slice(at, at + part) for at, part in zip(first, size, strict=True))
    number = place[0]
    found = bands[number, :, rows, columns], heats[None, number, rows, columns]
    turn = slice(None, None, -1 if rng.random() < 0.5 else 1)
    picture, heat = (np.ascontiguousarray(each[..., turn]) for each in found)
    return picture, heat
