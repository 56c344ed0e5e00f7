"""Whether two DICOM files are of one patient, without telling who that is."""

import hashlib
from typing import Final

import pydicom

PATIENT_TAGS: Final = ("PatientID", "StudyInstanceUID", "FrameOfReferenceUID")
"""The first that is there tells whose file it is."""


def digest_patient(header: pydicom.Dataset) -> str | None:
    """A text that files of one patient share; None where the header names nobody.

    For comparing alone: it could be traced back to who the patient is, so it is never stored.
    """
    for tag in PATIENT_TAGS:
        if value := str(header.get(tag) or "").strip():
            return hashlib.blake2b(f"{tag} {value}".encode(), digest_size=16).hexdigest()
    return None
