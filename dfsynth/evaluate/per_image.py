"""Metrics of all images, and a bounded number of their pixels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.evaluate.measurement import PIXELS_PER_IMAGE
from dfsynth.evaluate.metrics import NAMES, REGIONS, TARGET_KINDS, ImageMetrics, MetricKey

Array = NDArray[np.float64]

_POOLED_PIXELS: Final = 400_000
"""Kept under each key, of all images together, however many there are."""
_FEWEST_PIXELS: Final = 64
"""Kept of an image."""
MOST_IMAGES_PER_PATIENT: Final = 20
"""That calibrate."""


@dataclass(frozen=True, slots=True, eq=False)
class PerImageMetrics:
    """The metrics of all images of an evaluation, in their order."""

    keys: list[str] = field(default_factory=list)
    """Names of the pairs."""
    patients: list[str] = field(default_factory=list)
    """The patient of each."""
    metrics: dict[MetricKey, list[ImageMetrics]] = field(default_factory=dict)

    def add(
        self,
        key: str,
        patient_id: str,
        found: Iterable[tuple[MetricKey, ImageMetrics]],
        pixels: int,
    ) -> None:
        """Appends one image, with `pixels` of its pixels at most."""
        self.keys.append(key)
        self.patients.append(patient_id)
        for metric_key, metrics in found:
            self.metrics.setdefault(metric_key, []).append(metrics.first(pixels))

    def values(self, key: MetricKey, name: str) -> Array:
        """One of `NAMES` of each of n images, (n); NaN where it is not defined."""
        return np.array([m.values[name] for m in self.metrics[key]])

    def is_known(self, key: MetricKey) -> bool:
        """Whether any image has figures under this key."""
        return any(m.errors.size for m in self.metrics[key])

    @property
    def stages(self) -> int:
        """Stages of the cascade."""
        return 1 + max(key.stage for key in self.metrics)

    def table(self) -> list[list[str | int | float]]:
        """One line for each image and known key, below a line of the columns' names."""
        lines: list[list[str | int | float]] = [
            ["key", "patient_id", "stage", "region", "target", *NAMES]
        ]
        for index, (name, patient) in enumerate(zip(self.keys, self.patients, strict=True)):
            for key in self._metric_keys():
                metrics = self.metrics[key][index]
                if metrics.errors.size:
                    figures = [metrics.values[figure] for figure in NAMES]
                    lines.append([name, patient, key.stage + 1, key.region, key.target, *figures])
        return lines

    def _metric_keys(self) -> list[MetricKey]:
        return [
            MetricKey(stage, region, target)
            for stage in range(self.stages)
            for region in REGIONS
            for target in TARGET_KINDS
        ]


def pixels_by_patient(patients: Mapping[int, str]) -> dict[int, int]:
    """How many pixels of each image calibrate at most, by its index; equally many of each patient.

    Of a patient with many images, only the first `MOST_IMAGES_PER_PATIENT` are there: they err
    alike. Lungs may have fewer pixels; what counts the same is then for weights to say.
    """
    images: dict[str, list[int]] = {}
    for index, patient in patients.items():
        images.setdefault(patient, []).append(index)
    whole = pixels_per_image(len(images))
    shares: dict[int, int] = {}
    for found in images.values():
        chosen = found[:MOST_IMAGES_PER_PATIENT]
        shares |= {index: max(whole // len(chosen), 1) for index in chosen}
    return shares


def pixels_per_image(images: int) -> int:
    """How many pixels of each of so many images are kept, so that memory stays bounded."""
    return min(max(_POOLED_PIXELS // max(images, 1), _FEWEST_PIXELS), PIXELS_PER_IMAGE)
