"""Which slices of an MR volume show enough to be worth a pair."""

from dfsynth.simulation.mri.volume import MrVolume
from dfsynth.simulation.volumes.usable_slices import LEAST_SHARE, UsableSlices, constant_slices


def find_usable_slices(volume: MrVolume) -> UsableSlices:
    """Leaves out slices without contrast, and those above and below what was scanned.

    A slice needs at least 15 % of the foreground pixels that the volume's fullest slice has.
    """
    area = (volume.values > volume.threshold).sum(axis=(1, 2))
    empty = (area < LEAST_SHARE * area.max()) | (area == 0)
    constant = constant_slices(volume.values)
    return UsableSlices.without({"constant_slice": constant, "empty_slice": empty})
