"""The origin `volume` of MR: the slices of a folder's volumes, each imaged in one way."""

from functools import partial
from pathlib import Path
from typing import Final

from dfsynth.simulation.mri.usable_slices import find_usable_slices
from dfsynth.simulation.mri.volume import MrVolume, read_mr_volume
from dfsynth.simulation.volumes import MR, VolumeLimits
from dfsynth.simulation.volumes.labels import LABELS
from dfsynth.simulation.volumes.library import VolumeLibrary
from dfsynth.simulation.volumes.slice_origin import SliceImaging, SliceOrigin

_VOLUMES_KEPT: Final = 8
"""In memory, some 15 MB each of a head."""


def mr_slices(
    task: str, root: Path, size: int, imaging: SliceImaging[MrVolume]
) -> SliceOrigin[MrVolume]:
    """Slices of the volumes below `root`, in squares of `size` pixels; reads nothing yet."""
    read = partial(read_mr_volume, size=size, limits=VolumeLimits())
    volumes = VolumeLibrary(root, MR, read, labels=LABELS, kept=_VOLUMES_KEPT)
    return SliceOrigin(task, volumes, find_usable_slices, imaging)
