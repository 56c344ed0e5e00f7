"""Is this installation sound, and how fast is it here? `dfsynth doctor` tells."""

from dfsynth.doctor.examination import corpus_images, examine
from dfsynth.doctor.findings import Device, Examination, Extra, Library, Machine, SelfTest

__all__ = [
    "Device",
    "Examination",
    "Extra",
    "Library",
    "Machine",
    "SelfTest",
    "corpus_images",
    "examine",
]
