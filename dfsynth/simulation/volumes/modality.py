"""Kinds of scans, as far as listing and reading their volumes must know them."""

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Modality:
    """One kind of scan."""

    name: str
    """What messages call it."""
    option: str
    """By which users give the folder of its volumes."""
    dicom: str
    """Its DICOM modality."""
    sop_class: str
    """The SOP class of its plain slices."""
    rescaled: bool
    """Whether values mean nothing without rescale slope and intercept."""


CT: Final = Modality("CT", "--ct", "CT", "1.2.840.10008.5.1.4.1.1.2", rescaled=True)
CT_OF_SESSION: Final = replace(CT, option="--volumes")
"""Beside a PET."""
MR: Final = Modality("MR", "--volumes", "MR", "1.2.840.10008.5.1.4.1.1.4", rescaled=False)
