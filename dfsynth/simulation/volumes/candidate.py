"""What may hold a volume: its files, and how they store it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dfsynth.errors import ErrorCode, ImageError


class VolumeFormat(StrEnum):
    """How a volume is stored."""

    NIFTI = "nifti"
    NRRD = "nrrd"
    META_IMAGE = "mha"
    DICOM = "dicom"


@dataclass(frozen=True, slots=True)
class VolumeCandidate:
    """Files that may hold one volume; nothing but names and DICOM headers was read."""

    key: str
    """Path below the root, with `/`; `#` and the series number follow where one folder holds
    several DICOM series."""
    format: VolumeFormat
    files: tuple[Path, ...]
    """All that its voxels depend on; the first is the header where data lie apart."""
    license: str
    """From `licenses.csv` at the root, or "unknown"."""
    patient: str
    """The first key among the volumes of one patient: it stands for the patient, and tells no
    more of who that is than a path does."""


def refusal(code: ErrorCode, key: str, why: str) -> ImageError:
    """The error for one volume that cannot be used; the others go on."""
    return ImageError(code, f"{key}: {why}")
