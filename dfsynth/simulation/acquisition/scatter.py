"""Compton scatter: light without fringes, spread wide."""

from dataclasses import dataclass

import cv2
import numpy as np

from dfsynth.records import Float32Map

_OBJECT_TRANSMISSION = 0.5
"""Below it a pixel counts as behind the body."""
_PIXELS_PER_SIGMA = 4.0


@dataclass(frozen=True, slots=True)
class ScatterParameters:
    """How much scatter, how wide, and how much of it correction leaves."""

    sigma_mm: float
    scatter_to_primary: float
    """Median over the body of scatter over primary, after any grid."""
    residual: float
    """Share that the correction leaves, 0 to 1."""


def draw_slot_scatter(rng: np.random.Generator) -> ScatterParameters:
    """Draws a slot scanner's: sigma 20 to 60 mm, ratio 0.1 to 1, 0 to 20 % left [assumed]."""
    return ScatterParameters(
        sigma_mm=float(rng.uniform(20, 60)),
        scatter_to_primary=float(rng.uniform(0.1, 1.0)),
        residual=float(rng.uniform(0, 0.2)),
    )


def draw_field_scatter(rng: np.random.Generator) -> ScatterParameters:
    """A full-field radiograph's: ratio 1 to 4, in most rooms cut by a grid, none corrected.

    A grid passes 10 to 25 % of the scatter over its share of the primary, and seven in ten
    exposures have one [assumed]. Wider than a slot's: 40 to 90 mm [assumed].
    """
    ratio = float(rng.uniform(1, 4))
    passed = float(rng.uniform(0.10, 0.25))
    return ScatterParameters(
        sigma_mm=float(rng.uniform(40, 90)),
        scatter_to_primary=ratio * passed if rng.random() < 0.7 else ratio,
        residual=1.0,
    )


def scatter_light(
    transmission: Float32Map, pixel_mm: float, parameters: ScatterParameters
) -> Float32Map:
    """The scatter S in units of the open beam, (y, x), ≥ 0, for a primary `transmission` (0, 1].

    The source of scatter is the primary weighted with −T ln T, which singly scattered light
    follows (Sun and Star-Lack, Physics in Medicine and Biology 55, 2010): air makes none. It is
    spread by a Gaussian and scaled to the median ratio behind the body. `residual` is
    left to the caller.
    """
    behind = transmission < _OBJECT_TRANSMISSION
    if not behind.any():
        return np.zeros_like(transmission)
    # A field this smooth needs no fine grid.
    step = max(1, int(parameters.sigma_mm / pixel_mm / _PIXELS_PER_SIGMA))
    height, width = transmission.shape
    size = (max(1, width // step), max(1, height // step))
    made = np.asarray(-transmission * np.log(np.maximum(transmission, 1e-12)), np.float32)
    coarse = cv2.resize(made, size, interpolation=cv2.INTER_AREA)
    sigma_px = parameters.sigma_mm / pixel_mm
    spread = cv2.GaussianBlur(
        coarse,
        (0, 0),
        sigmaX=sigma_px * size[0] / width,
        sigmaY=sigma_px * size[1] / height,
        borderType=cv2.BORDER_REPLICATE,
    )
    fine = cv2.resize(spread, (width, height), interpolation=cv2.INTER_LINEAR)
    found = float(np.median(fine[behind] / transmission[behind]))
    return np.asarray(fine * np.float32(parameters.scatter_to_primary / found), np.float32)
