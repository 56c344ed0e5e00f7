"""Volumes of scans below a folder: listed, read, and turned into one orientation."""

from dfsynth.simulation.volumes.candidate import VolumeCandidate, VolumeFormat, refusal
from dfsynth.simulation.volumes.limits import VolumeLimits
from dfsynth.simulation.volumes.listing import VolumeListing, list_volumes
from dfsynth.simulation.volumes.modality import CT, MR, Modality
from dfsynth.simulation.volumes.reading import OrientedVolume, read_oriented

__all__ = [
    "CT",
    "MR",
    "Modality",
    "OrientedVolume",
    "VolumeCandidate",
    "VolumeFormat",
    "VolumeLimits",
    "VolumeListing",
    "list_volumes",
    "read_oriented",
    "refusal",
]
