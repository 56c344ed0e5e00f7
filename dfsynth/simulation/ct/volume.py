"""One CT volume as it leaves its file: what it holds, and what is let in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dfsynth.simulation.volumes import VolumeLimits


@dataclass(frozen=True, slots=True)
class CtLimits(VolumeLimits):
    """What a volume must be like to be simulated from [assumed]."""

    fewest_slices: int = 30
    thickest_slice_mm: float = 6.0
    least_height_mm: float = 180.0
    most_cut_share: float = 0.35
    """Lung in the first or last slice over lung in its largest slice; above it too much of the
    lungs lies outside the volume."""


@dataclass(frozen=True, slots=True)
class CtVolume:
    """Hounsfield units in the patient's own axes."""

    key: str
    hu: NDArray[np.int16]
    """(planes, rows, columns): planes from the back to the front, rows from the head down,
    columns from the patient's right to the left; −1024 to 3071."""
    spacing_mm: tuple[float, float, float]
    """Between planes, rows, columns."""
    sha256: str
    """Of the file; of several, of their sums: DICOM slices by name, a header before its data."""
    license: str
