"""One CT volume as it leaves its file: what holds it, what it holds, and what is let in."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dfsynth.errors import ErrorCode, ImageError


class CtFormat(StrEnum):
    """How a volume is stored."""

    NIFTI = "nifti"
    NRRD = "nrrd"
    META_IMAGE = "mha"
    DICOM = "dicom"


@dataclass(frozen=True, slots=True)
class CtCandidate:
    """Files that may hold one CT volume; nothing but names and DICOM headers was read."""

    key: str
    """Path below the root, with `/`; `#` and the series number follow where one folder holds
    several DICOM series."""
    format: CtFormat
    files: tuple[Path, ...]
    """All that its voxels depend on; the first is the header where data lie apart."""
    license: str
    """From `licenses.csv` at the root, or "unknown"."""
    patient: str
    """The first key among the volumes of one patient: it stands for the patient, and tells no
    more of who that is than a path does."""


@dataclass(frozen=True, slots=True)
class CtLimits:
    """What a volume must be like to be simulated from [assumed]."""

    most_voxels: int = 1024 * 1024 * 2000
    fewest_slices: int = 30
    least_height_mm: float = 180.0
    thickest_slice_mm: float = 6.0
    spacing_tolerance: float = 0.02
    """Spread of the distances between slices over their median."""
    tilt_tolerance_deg: float = 0.5
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


def refusal(code: ErrorCode, key: str, why: str) -> ImageError:
    """The error for one volume that cannot be used; the others go on."""
    return ImageError(code, f"{key}: {why}")
