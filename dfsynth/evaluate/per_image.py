"""Figures of all pictures, and a bounded number of their pixels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.evaluate.measurement import NAMES, PIXELS_A_PICTURE, REGIONS, TARGETS, Measured, Place

Array = NDArray[np.float64]

_POOLED_PIXELS = 400_000
"""Kept at each place, of all pictures together, however many there are."""
_FEWEST_PIXELS = 64
"""Kept of a picture."""
MOST_PICTURES_A_PATIENT: Final = 20
"""That calibrate."""


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """All pictures of an evaluation in order, measured."""

    keys: list[str] = field(default_factory=list)
    patients: list[str] = field(default_factory=list)
    measured: dict[Place, list[Measured]] = field(default_factory=dict)

    def add(
        self, key: str, patient_id: str, found: Iterable[tuple[Place, Measured]], pixels: int
    ) -> None:
        """One picture, with `pixels` of its pixels at most."""
        self.keys.append(key)
        self.patients.append(patient_id)
        for place, measured in found:
            self.measured.setdefault(place, []).append(measured.first(pixels))

    def values(self, place: Place, name: str) -> Array:
        """One of `NAMES`, of every picture; NaN where it is not defined."""
        return np.array([m.values[name] for m in self.measured[place]])

    def is_known(self, place: Place) -> bool:
        """Whether any picture has figures at this place."""
        return any(m.errors.size for m in self.measured[place])

    @property
    def stages(self) -> int:
        """Of the cascade."""
        return 1 + max(place.stage for place in self.measured)

    def table(self) -> list[list[str | int | float]]:
        """One line a picture and known place, below a line of the columns' names."""
        lines: list[list[str | int | float]] = [
            ["key", "patient_id", "stage", "region", "target", *NAMES]
        ]
        for number, (key, patient) in enumerate(zip(self.keys, self.patients, strict=True)):
            for place in self._places():
                measured = self.measured[place][number]
                if measured.errors.size:
                    numbers = [measured.values[name] for name in NAMES]
                    lines.append(
                        [key, patient, place.stage + 1, place.region, place.target, *numbers]
                    )
        return lines

    def _places(self) -> list[Place]:
        return [
            Place(stage, region, target)
            for stage in range(self.stages)
            for region in REGIONS
            for target in TARGETS
        ]


def pixels_by_patient(patients: Mapping[int, str]) -> dict[int, int]:
    """Number of a picture → how many of its pixels are kept at most, as many of every patient.

    Of a patient with many, only the first `MOST_PICTURES_A_PATIENT` are there: they err alike.
    Lungs may have fewer pixels; what counts the same is then for weights to say.
    """
    pictures: dict[str, list[int]] = {}
    for number, patient in patients.items():
        pictures.setdefault(patient, []).append(number)
    whole = pixels_a_picture(len(pictures))
    shares: dict[int, int] = {}
    for found in pictures.values():
        chosen = found[:MOST_PICTURES_A_PATIENT]
        shares |= {number: max(whole // len(chosen), 1) for number in chosen}
    return shares


def pixels_a_picture(pictures: int) -> int:
    """How many pixels of each of so many pictures are kept, so that memory stays bounded."""
    return min(max(_POOLED_PIXELS // max(pictures, 1), _FEWEST_PIXELS), PIXELS_A_PICTURE)
