"""The intensity convention in the documents of a store.

Percentiles are the pair that they were in the first stores, so that those of radiographs keep their
documents to the byte; a range of values is an object with its unit.
"""

from dataclasses import asdict

from dfsynth.records import Intensity, IntensityRange, IntensityWindow
from dfsynth.store import Json


def stored_intensity(intensity: Intensity) -> Json:
    """The entry `intensity` of `build.json`."""
    if isinstance(intensity, IntensityRange):
        return asdict(intensity)
    return [intensity.low_percentile, intensity.high_percentile]


def read_intensity(entry: object) -> Intensity:
    """What `stored_intensity` wrote.

    Raises:
        ValueError, TypeError: the entry is none of both forms.
    """
    if isinstance(entry, dict):
        return IntensityRange(**entry)
    if isinstance(entry, list):
        return IntensityWindow(*entry)
    raise TypeError("the entry 'intensity' is neither a pair of percentiles nor a range of values")


def described_intensity(intensity: Intensity) -> dict[str, Json]:
    """What the provenance of a store says of it, flat, so that netCDF has it too.

    `intensity_percentiles`, or `intensity_range` with `intensity_unit`.
    """
    if isinstance(intensity, IntensityRange):
        return {
            "intensity_range": [intensity.low, intensity.high],
            "intensity_unit": intensity.unit,
        }
    return {"intensity_percentiles": [intensity.low_percentile, intensity.high_percentile]}
