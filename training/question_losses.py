"""Losses that know of streaks, beside plain ones: residuals (n, 1, y, x) in 1/m → a scalar.

A loss that is quadratic in the residual, with weights that are positive and depend on the input
alone, is least at the mean of the target given the input, whatever the weights: `oriented` and
`sinogram` lead where plain L2 leads, and can differ from it only by what a network of finite size
reaches in so many steps. `own_oriented` takes its weights from the target too, and the losses with
absolute values have minimisers of their own.
"""

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from dfsynth.evaluate.streaks.streak_power import ANGLES
from dfsynth.simulation.dark_field_ct.geometry import ScanGeometry
from dfsynth.simulation.dark_field_ct.projector import project
from dfsynth.train.losses import residual_l1

LossName = Literal[
    "l2", "l1", "oriented", "own_oriented", "sinogram", "filtered_sinogram", "gradient", "residual"
]
_VIEWS: Final = 36
"""Coarse: a patch of 64 pixels has about 100 angles that differ."""
_BOX_PX: Final = 5
_LEAST_SQUARE: Final = 1e-6
"""Keeps a root differentiable at 0."""


def streak_loss(name: LossName, residual: Tensor, mean_weights: Tensor, own: Tensor) -> Tensor:
    """The loss of residuals (n, 1, y, x) in 1/m.

    Args:
        name: which loss.
        residual: prediction less target.
        mean_weights: (36), directions of streaks over the training slices, of mean 1.
        own: (n, 36), those of each slice.
    """
    if name == "l1":
        return residual.abs().mean()
    if name in ("oriented", "own_oriented"):
        return oriented(residual, own if name == "own_oriented" else mean_weights[None])
    added = _ADDED.get(name)
    plain = residual.square().mean()
    return plain if added is None else plain + added(residual)


def total_variation(image: Tensor) -> Tensor:
    """Mean length of the gradient of an image (n, 1, y, x), a scalar in its unit a pixel.

    Beside L2 it flattens what is uneven and leaves large edges sharp: a region of radius r pixels
    is levelled by about its weight over r (Rudin, Osher & Fatemi, Physica D 1992).
    """
    down = image.diff(dim=-2)[..., :-1]
    right = image.diff(dim=-1)[..., :-1, :]
    return (down.square() + right.square() + _LEAST_SQUARE).sqrt().mean()


def oriented(residual: Tensor, weights: Tensor) -> Tensor:
    """Mean of |spectrum of the residual|², weighted by the direction in which its waves run.

    Args:
        residual: (n, 1, side, side).
        weights: (1 or n, 36) of the directions of streaks; with 1 everywhere the loss is L2.
    """
    side = residual.shape[-1]
    spectrum = torch.fft.fft2(residual, norm="ortho")
    direction, known = _directions(side, residual.device)
    along = torch.where(known, weights[:, direction], 1.0)
    power = spectrum.real.square() + spectrum.imag.square()
    return (along[:, None] * power).mean()


def line_integrals(residual: Tensor) -> Tensor:
    """Sums along the parallel rays of 36 angles over half a turn, (n, angles, side).

    Scaled so that white noise keeps its variance in the central ray.
    """
    side = residual.shape[-1]
    geometry = ScanGeometry(
        side=side,
        pixel_mm=1.0,
        shots=2 * _VIEWS,
        detector_pixels=side,
        half_detector_mm=side / 2,
        divergence_per_mm=0.0,
    )
    # The second half turn mirrors the first.
    return project(residual[:, 0], geometry)[:, :_VIEWS] * (1000 / math.sqrt(side))


def ramp_filtered(sinogram: Tensor) -> Tensor:
    """Rays (n, angles, detector) with weights that rise with their frequency to 1, as filtered
    back-projection weighs them."""
    width = sinogram.shape[-1]
    spectrum = torch.fft.rfft(F.pad(sinogram, (0, width)))
    ramp = torch.linspace(0, 1, spectrum.shape[-1], device=sinogram.device)
    return torch.fft.irfft(spectrum * ramp, n=2 * width)[..., :width]


def _gradients(residual: Tensor) -> Tensor:
    """Mean absolute differences of neighbours."""
    return residual.diff(dim=-1).abs().mean() + residual.diff(dim=-2).abs().mean()


_ADDED: Final[Mapping[str, Callable[[Tensor], Tensor]]] = {
    "sinogram": lambda residual: line_integrals(residual).square().mean(),
    "filtered_sinogram": lambda residual: ramp_filtered(line_integrals(residual)).abs().mean(),
    "gradient": _gradients,
    "residual": lambda residual: residual_l1(residual, torch.zeros_like(residual), _BOX_PX),
}
"""What some losses add to L2."""


@cache
def _directions(side: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Numbers of the 36 directions of streaks in a spectrum (side, side), and where there is one.

    A streak runs across its wave vector; zero frequency has no direction.
    """
    frequencies = torch.fft.fftfreq(side, dtype=torch.float64)
    y, x = frequencies[:, None], frequencies[None, :]
    angle = (torch.rad2deg(torch.atan2(y, x)) + 90) % 180
    direction = torch.round(angle * ANGLES / 180).long() % ANGLES
    return direction.to(device), ((y != 0) | (x != 0)).to(device)
