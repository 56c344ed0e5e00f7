"""Test phantoms: a host of one substance with inserts of known coefficient."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map, Parameter
from dfsynth.simulation.dark_field_ct.coefficients import Substance
from dfsynth.simulation.dark_field_ct.outlines import free_air
from dfsynth.simulation.dark_field_ct.slice_object import SliceObject

InsertKind: TypeAlias = Substance | Literal["foam", "powder"]
InsertShape: TypeAlias = Literal["ellipse", "wedge"]

_SAMPLES: Final = 4
"""A side of a pixel, for the share of it that an insert fills."""


@dataclass(frozen=True, slots=True)
class Insert:
    """One homogeneous body; it takes the place of what it lies in."""

    kind: InsertKind
    shape: InsertShape
    centre_mm: tuple[float, float]
    """x to the right, y downwards, from the axis of rotation."""
    half_mm: tuple[float, float]
    """Half its extent along its own x and y."""
    angle_deg: float
    """By which it is turned, clockwise as seen."""
    mu_per_m: float
    dark_field_per_m: float

    @property
    def reach_mm(self) -> float:
        """Radius of a circle around its centre that holds it."""
        return math.hypot(*self.half_mm) if self.shape == "wedge" else max(self.half_mm)

    def covers(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether points lie in it; `x` and `y` in mm, of shapes that broadcast together.

        A wedge is a triangle: as high as its box on the left, of no height on the right.
        """
        angle = math.radians(self.angle_deg)
        dx, dy = x - self.centre_mm[0], y - self.centre_mm[1]
        across = (math.cos(angle) * dx + math.sin(angle) * dy) / self.half_mm[0]
        along = (math.cos(angle) * dy - math.sin(angle) * dx) / self.half_mm[1]
        if self.shape == "ellipse":
            return np.asarray(across**2 + along**2 < 1)
        return np.asarray((np.abs(across) < 1) & (along < 1) & (along > across))


def build_phantom(inserts: Sequence[Insert], size: int, pixel_mm: float) -> SliceObject:
    """Lays inserts into air, later ones over earlier ones.

    A pixel that lies wholly in one has exactly its coefficients; others have the mean over their
    area. There is no lung in it.

    Args:
        inserts: the host first; none for empty air.
        size: pixels along each side, even.
        pixel_mm: pitch of the pixels.

    Raises:
        ValueError: an odd size, or an insert that reaches beyond the field of view.
    """
    for insert in inserts:
        if math.hypot(*insert.centre_mm) + insert.reach_mm > size * pixel_mm / 2:
            raise ValueError(
                f"{insert.kind} at {insert.centre_mm} mm reaches beyond the field of view of "
                f"{size * pixel_mm:.0f} mm; move it to the middle or make it smaller"
            )
    mu, dark_field, filled = (np.zeros((size, size), np.float32) for _ in range(3))
    for insert in inserts:
        box, share = _rasterise(insert, size, pixel_mm)
        for values, value in (
            (mu, insert.mu_per_m),
            (dark_field, insert.dark_field_per_m),
            (filled, 1.0),
        ):
            values[box] = (1 - share) * values[box] + share * np.float32(value)
    return SliceObject(
        mu_per_m=mu,
        dark_field_per_m=dark_field,
        lung_mask=np.zeros((size, size), np.uint8),
        air_mask=free_air(filled > 0),
        pixel_mm=pixel_mm,
        parameters=_describe(inserts),
    )


def _rasterise(
    insert: Insert, size: int, pixel_mm: float
) -> tuple[tuple[slice, slice], Float32Map]:
    """The box of pixels (rows, columns) around an insert, and the share that it has of each."""
    box, places = [], []
    for centre_mm in (insert.centre_mm[1], insert.centre_mm[0]):
        first = int(np.floor((centre_mm - insert.reach_mm) / pixel_mm + size / 2))
        last = int(np.ceil((centre_mm + insert.reach_mm) / pixel_mm + size / 2))
        first, last = max(first, 0), min(last, size)
        sample = (np.arange((last - first) * _SAMPLES) + 0.5) / _SAMPLES
        box.append(slice(first, last))
        places.append((sample + first - size / 2) * pixel_mm)
    covered = insert.covers(places[1][None, :], places[0][:, None])
    rows, columns = (edge.stop - edge.start for edge in box)
    share = covered.reshape(rows, _SAMPLES, columns, _SAMPLES).mean(axis=(1, 3), dtype=np.float32)
    return (box[0], box[1]), share


def _describe(inserts: Sequence[Insert]) -> dict[str, Parameter]:
    return {
        "object": "inserts",
        "insert_kinds": " ".join(insert.kind for insert in inserts),
        "insert_mu_per_m": " ".join(f"{insert.mu_per_m:.4g}" for insert in inserts),
        "insert_dark_field_per_m": " ".join(f"{i.dark_field_per_m:.4g}" for i in inserts),
    }
