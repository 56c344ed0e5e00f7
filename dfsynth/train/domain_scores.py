"""How well a degrader does: are its images like those of the other domain, and still themselves?

Nothing is paired, so that statistics of collections are compared: the mean power spectrum and the
gradients, of which what people call sharp is made.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dfsynth.datasets import PairBatch
from dfsynth.models import DegradingNetwork
from dfsynth.train.validation import Scores

_ROUNDING: Final = 1 / 255 / 12**0.5
"""Deviation of eight-bit rounding in grey values of [0, 1]: less is no structure of an image."""
_QUANTILES: Final = np.linspace(0.01, 0.99, 99)
_CONTENT_SIDE: Final = 32
"""Side in pixels of the images whose content is compared, or half of theirs."""

_CONTENT_WEIGHT: Final = 3.0
"""Partners of another content teach whoever restores them to invent. [assumed]"""


@dataclass(frozen=True, slots=True)
class DomainScores(Scores):
    """Of degraded radiographs beside held-out images of the domain, each degraded once."""

    domain: float
    """What the best checkpoint has least of: spectrum + gradients + 3 (1 - content)."""
    spectrum: float
    """Root mean square over frequencies of the difference between log10 of both mean spectra."""
    gradients: float
    """Mean difference of quantiles of the gradients' sizes, over the mean of the domain's."""
    content: float
    """Correlation of each degraded image with what it was made of, both averaged down; the mean."""
    spectrum_before: float
    """The same for the radiographs as they are."""
    gradients_before: float
    """The same, without unit."""

    def summary(self) -> str:
        """Gives the score and what it is made of."""
        return (
            f"domain {self.domain:.4f} (spectrum {self.spectrum:.3f}, gradients "
            f"{self.gradients:.3f}, content {self.content:.3f})"
        )


@torch.inference_mode()
def degrade_batch(network: DegradingNetwork, images: Tensor, draw: int) -> Tensor:
    """Degrades radiographs (n, 1, H, W) once each, by draw number `draw` (from 0).

    What is drawn depends on this and on the place in the batch alone.
    """
    shape = network.noise_shape(*images.shape[-2:])
    drawn = [
        np.random.default_rng([draw, place]).standard_normal(shape, np.float32)
        for place in range(len(images))
    ]
    return network.degrade(images, torch.from_numpy(np.stack(drawn)).to(images.device)).float()


def score_degrader(
    network: DegradingNetwork, batches: Iterable[PairBatch], device: torch.device
) -> DomainScores:
    """Degrades the radiographs of unpaired batches, maps (n, 1, H, W), and compares.

    Raises:
        ValueError: there is no batch.
    """
    good, poor, made = [], [], []
    for batch in batches:
        good.append(batch.image)
        poor.append(batch.target)
        made.append(degrade_batch(network, batch.image.to(device), 0).cpu())
    if not good:
        raise ValueError("no image to validate on")
    return compare_domains(torch.cat(good), torch.cat(poor), torch.cat(made))


def compare_domains(good: Tensor, poor: Tensor, made: Tensor) -> DomainScores:
    """Compares `made`, of good radiographs, with images of the other domain: (n, 1, H, W) each."""
    spectrum, spectrum_before = (_spectral_distance(images, poor) for images in (made, good))
    gradients, gradients_before = (_gradient_distance(images, poor) for images in (made, good))
    content = _correlation(made, good)
    return DomainScores(
        domain=spectrum + gradients + _CONTENT_WEIGHT * (1 - content),
        spectrum=spectrum,
        gradients=gradients,
        content=content,
        spectrum_before=spectrum_before,
        gradients_before=gradients_before,
    )


def radial_spectrum(images: Tensor) -> Tensor:
    """Averages the power of images (n, 1, H, W) over directions and images: (k,), k frequencies.

    They are 1, 2, … cycles over the shorter side, up to half its pixels, under a Hann window; white
    noise of eight-bit rounding is added, so that what nobody sees has no logarithm.
    """
    height, width = images.shape[-2:]
    window = torch.outer(torch.hann_window(height), torch.hann_window(width))
    flat = images.double() - images.double().mean(dim=(2, 3), keepdim=True)
    power = torch.fft.fft2(flat * window).abs().square().mean(dim=(0, 1))
    power = power / window.square().sum() + _ROUNDING**2
    side = min(height, width)
    rows, columns = (torch.fft.fftfreq(n)[:, None] * side for n in (height, width))
    rings = (rows.square() + columns.T.square()).sqrt().round().long().flatten()
    total = torch.zeros(int(rings.max()) + 1, dtype=power.dtype)
    summed = total.index_add(0, rings, power.flatten())
    counts = total.index_add(0, rings, torch.ones_like(power).flatten())
    return (summed / counts)[1 : side // 2 + 1]


def _spectral_distance(images: Tensor, domain: Tensor) -> float:
    difference = radial_spectrum(images).log10() - radial_spectrum(domain).log10()
    return float(difference.square().mean().sqrt())


def _gradient_distance(images: Tensor, domain: Tensor) -> float:
    ours, theirs = (np.quantile(_gradients(each), _QUANTILES) for each in (images, domain))
    return float(np.abs(ours - theirs).mean() / max(theirs.mean(), _ROUNDING))


def _gradients(images: Tensor) -> np.ndarray:
    down = images[..., 1:, :-1] - images[..., :-1, :-1]
    right = images[..., :-1, 1:] - images[..., :-1, :-1]
    return np.asarray(torch.hypot(down, right).numpy())


def _correlation(made: Tensor, good: Tensor) -> float:
    side = min(_CONTENT_SIDE, min(good.shape[-2:]) // 2)
    ours, theirs = (F.adaptive_avg_pool2d(each, side).flatten(1) for each in (made, good))
    ours, theirs = (each - each.mean(dim=1, keepdim=True) for each in (ours, theirs))
    return float(F.cosine_similarity(ours, theirs, dim=1).mean())
