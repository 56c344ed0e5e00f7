"""What a volume must be like to be read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VolumeLimits:
    """What every volume must be like [assumed]."""

    most_voxels: int = 1024 * 1024 * 2000
    fewest_slices: int = 2
    thickest_slice_mm: float = 10.0
    spacing_tolerance: float = 0.02
    """Spread of the distances between slices over their median."""
    tilt_tolerance_deg: float = 0.5
