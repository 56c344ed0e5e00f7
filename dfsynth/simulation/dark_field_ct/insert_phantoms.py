"""Test phantoms drawn at random: rods, foams, wedges and powders in a host or in air."""

from typing import Final

import numpy as np

from dfsynth.simulation.dark_field_ct.coefficients import mu_per_m
from dfsynth.simulation.dark_field_ct.inserts import (
    Insert,
    InsertKind,
    InsertShape,
    build_phantom,
)
from dfsynth.simulation.dark_field_ct.slice_object import SliceObject

_FIELD_MM: Final = (385.0, 425.0)
_HOST_HALF_MM: Final = ((110.0, 165.0), (90.0, 130.0))
_FREE_HALF_MM: Final = 130.0
"""Of a circle in which inserts lie where there is no host."""
_APART_MM: Final = 4.0
_TRIES: Final = 60
_KINDS: Final[tuple[InsertKind, ...]] = ("water", "pmma", "bone", "aluminium", "foam", "powder")
_CHANCES: Final = (0.08, 0.08, 0.1, 0.04, 0.45, 0.25)


def draw_insert_phantom(size: int, rng: np.random.Generator) -> SliceObject:
    """Draws a phantom of water or PMMA, or none, with two to nine inserts; all ranges are assumed.

    Rods of water, PMMA, bone and aluminium do not scatter; foams (2 to 12 % of water's density)
    have 0.5 to 6 1/m, powders 1 to 10 1/m. A third of the foams are wedges.

    Args:
        size: pixels along each side, even; the field of view is about 400 mm.
        rng: what everything is drawn from.

    Raises:
        ValueError: an odd size.
    """
    pixel_mm = float(rng.uniform(*_FIELD_MM)) / size
    host = _draw_host(rng)
    half_mm = (_FREE_HALF_MM, _FREE_HALF_MM) if host is None else host.half_mm
    placed: list[Insert] = []
    wanted = int(rng.integers(2, 10))
    for _ in range(_TRIES):
        insert = _draw_insert(half_mm, rng)
        if _fits(insert, half_mm, placed):
            placed.append(insert)
        if len(placed) == wanted:
            break
    return build_phantom(placed if host is None else [host, *placed], size, pixel_mm)


def _draw_host(rng: np.random.Generator) -> Insert | None:
    kind: InsertKind | None = (None, "water", "pmma")[int(rng.integers(3))]
    half_mm = (float(rng.uniform(*_HOST_HALF_MM[0])), float(rng.uniform(*_HOST_HALF_MM[1])))
    if kind is None:
        return None
    return Insert(kind, "ellipse", (0.0, 0.0), half_mm, 0.0, mu_per_m(kind), 0.0)


def _draw_insert(half_mm: tuple[float, float], rng: np.random.Generator) -> Insert:
    kind = _KINDS[int(rng.choice(len(_KINDS), p=_CHANCES))]
    shape: InsertShape = "wedge" if kind == "foam" and rng.random() < 1 / 3 else "ellipse"
    centre_mm = (
        float(rng.uniform(-half_mm[0], half_mm[0])),
        float(rng.uniform(-half_mm[1], half_mm[1])),
    )
    radius = float(np.exp(rng.uniform(*np.log((15, 45) if kind == "foam" else (4, 18)))))
    ratio = float(rng.uniform(0.6, 1.0)) if kind == "foam" else 1.0
    angle_deg = float(rng.uniform(0, 360))
    mu, dark_field = _draw_coefficients(kind, rng)
    return Insert(kind, shape, centre_mm, (radius, radius * ratio), angle_deg, mu, dark_field)


def _draw_coefficients(kind: InsertKind, rng: np.random.Generator) -> tuple[float, float]:
    """Attenuation and dark-field coefficient in 1/m."""
    density, scatter = float(rng.random()), float(rng.random())
    if kind == "foam":
        return (0.02 + 0.10 * density) * mu_per_m("water"), 0.5 + 5.5 * scatter
    if kind == "powder":
        return (0.4 + 0.6 * density) * mu_per_m("water"), 1.0 + 9.0 * scatter
    return mu_per_m(kind), 0.0


def _fits(insert: Insert, half_mm: tuple[float, float], placed: list[Insert]) -> bool:
    """Whether an insert lies within an ellipse around the axis, apart from all others."""
    across, along = (
        abs(c) / max(half - insert.reach_mm - _APART_MM, 1e-6)
        for c, half in zip(insert.centre_mm, half_mm, strict=True)
    )
    if across**2 + along**2 > 1:
        return False
    return all(
        np.hypot(*np.subtract(insert.centre_mm, other.centre_mm))
        > insert.reach_mm + other.reach_mm + _APART_MM
        for other in placed
    )
