"""How much of the tracer each tissue of a slice holds: what a PET would show if it were perfect."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.ndimage import gaussian_filter

from dfsynth.records import Float32Map, Parameter
from dfsynth.simulation.ct.morphology import Mask

_UPTAKE_SUV: Final = {
    "lung": (0.3, 0.7),
    "fat": (0.15, 0.45),
    "soft": (0.6, 1.4),
    "marrow": (0.7, 2.0),
    "cortical": (0.2, 0.6),
}
"""Ranges from which a slice's uptake of fluorodeoxyglucose is drawn, in SUV [assumed: those of
healthy adults an hour after injection; Zincirkeser et al., J. Int. Med. Res. 35 (2007) 231]."""
_HU: Final = (-1000.0, -950.0, -600.0, -130.0, -60.0, 10.0, 90.0, 220.0, 500.0, 1200.0)
_TISSUES: Final = (
    "air", "lung", "lung", "fat", "fat", "soft", "soft", "marrow", "marrow", "cortical",
)  # fmt: skip
"""Of which tissue the value at each of `_HU` is; between them it is interpolated."""
_SMOOTHED_MM: Final = 3.0
"""Over which HU are averaged first: noise in a lung reaches down to air."""
_ORGANS: Final = (0, 3)
_ORGAN_MM: Final = (15.0, 50.0)
_ORGAN_FACTOR: Final = (1.3, 3.0)
_SPOTS: Final = (0, 4)
_SPOT_MM: Final = (4.0, 15.0)
_SPOT_SUV: Final = (2.5, 12.0)
_VARIATION: Final = (0.05, 0.25)
_VARIATION_MM: Final = (8.0, 30.0)
_SOFT_HU: Final = (-20.0, 200.0)
"""Where the middles of organs and spots are drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """Tracer in a slice."""

    suv: Float32Map
    """(y, x), at least 0; 0 outside the body."""
    drawn: dict[str, Parameter]
    """What was drawn for it, by the names of the task's parameters."""


def draw_activity(
    hu: Float32Map, body: Mask, pixel_mm: float, rng: np.random.Generator
) -> Activity:
    """Draws the tracer in a slice of HU (y, x) within the mask `body` (y, x).

    Each tissue has an uptake, told by its HU; organs raise that of what lies in them, spots have
    one of their own, and a smooth field varies all but the air.
    """
    of_tissue = {name: float(rng.uniform(*ends)) for name, ends in _UPTAKE_SUV.items()}
    drawn: dict[str, Parameter] = {f"uptake_{name}": suv for name, suv in of_tissue.items()}
    uptake = [of_tissue.get(name, 0.0) for name in _TISSUES]
    smooth = gaussian_filter(hu, _SMOOTHED_MM / pixel_mm)
    suv = np.asarray(np.interp(smooth, _HU, uptake))
    places = np.argwhere(body & (hu > _SOFT_HU[0]) & (hu < _SOFT_HU[1]))
    factor, drawn["organs"] = _draw_organs(places, hu.shape, pixel_mm, rng)
    suv *= factor
    suv *= _draw_variation(hu.shape, pixel_mm, drawn, rng)
    spots, drawn["hot_spots"] = _draw_spots(places, hu.shape, pixel_mm, rng)
    suv = np.where(smooth > _HU[1], np.maximum(suv, spots), suv)
    return Activity((suv * body).astype(np.float32), drawn)


def _draw_organs(
    places: np.ndarray, shape: tuple[int, ...], pixel_mm: float, rng: np.random.Generator
) -> tuple[np.ndarray, str]:
    factor = np.ones(shape)
    told = []
    for y, x in _draw_places(places, _ORGANS, rng):
        radius_mm, raised = rng.uniform(*_ORGAN_MM), rng.uniform(*_ORGAN_FACTOR)
        inside = _draw_ellipse(shape, (y, x), radius_mm / pixel_mm, rng)
        factor = np.maximum(factor, 1 + (raised - 1) * inside)
        told.append(f"{x} {y} {radius_mm:.1f} {raised:.2f}")
    return factor, "; ".join(told)


def _draw_spots(
    places: np.ndarray, shape: tuple[int, ...], pixel_mm: float, rng: np.random.Generator
) -> tuple[np.ndarray, str]:
    suv = np.zeros(shape)
    told = []
    for y, x in _draw_places(places, _SPOTS, rng):
        radius_mm, hot = rng.uniform(*_SPOT_MM), rng.uniform(*_SPOT_SUV)
        suv = np.maximum(suv, hot * _draw_ellipse(shape, (y, x), radius_mm / pixel_mm, rng))
        told.append(f"{x} {y} {radius_mm:.1f} {hot:.2f}")
    return suv, "; ".join(told)


def _draw_places(
    places: np.ndarray, counts: tuple[int, int], rng: np.random.Generator
) -> list[tuple[int, int]]:
    """As many pixels (y, x) of `places` (pixels, 2) as are drawn between the counts."""
    count = int(rng.integers(counts[0], counts[1] + 1)) if len(places) else 0
    return [(int(y), int(x)) for y, x in places[rng.integers(0, max(len(places), 1), count)]]


def _draw_ellipse(
    shape: tuple[int, ...], middle: tuple[int, int], radius: float, rng: np.random.Generator
) -> np.ndarray:
    """1 inside an ellipse of a drawn shape and turn, 0 outside, its edge a pixel wide."""
    stretch, angle = math.exp(rng.uniform(-0.4, 0.4)), rng.uniform(0, math.pi)
    y, x = np.ogrid[: shape[0], : shape[1]]
    dy, dx = y - middle[0], x - middle[1]
    along = (dx * math.cos(angle) + dy * math.sin(angle)) / stretch
    across = (dy * math.cos(angle) - dx * math.sin(angle)) * stretch
    return np.clip(radius - np.hypot(along, across) + 0.5, 0, 1)


def _draw_variation(
    shape: tuple[int, ...],
    pixel_mm: float,
    drawn: dict[str, Parameter],
    rng: np.random.Generator,
) -> np.ndarray:
    """A smooth field (y, x) of mean 1 and drawn deviation and length, which are put in `drawn`."""
    deviation, length_mm = rng.uniform(*_VARIATION), rng.uniform(*_VARIATION_MM)
    drawn["variation"], drawn["variation_mm"] = float(deviation), float(length_mm)
    field = gaussian_filter(rng.standard_normal(shape), length_mm / pixel_mm, mode="wrap")
    return np.maximum(1 + field * (deviation / max(float(field.std()), 1e-12)), 0)
