"""A radiograph → the arrays of a pair: its partner of low quality, both between percentiles."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dfsynth.preprocess import to_unit_range
from dfsynth.records import Float32Map, IntensityWindow, Parameter
from dfsynth.simulation.restoration.degrader import Degrader
from dfsynth.simulation.streams import Streams

_STREAM = "degrader"


@dataclass(frozen=True, slots=True, eq=False)
class BlurredPair:
    """What a pair holds beside its radiograph."""

    blurred: Float32Map
    """(y, x) in [0, 1]."""
    columns: dict[str, Parameter]
    """What was drawn, by names of manifest columns."""


def blur_radiograph(
    radiograph: Float32Map, content: tuple[slice, slice], degrader: Degrader, streams: Streams
) -> BlurredPair:
    """The partner of a radiograph (y, x) in [0, 1], between its own percentiles.

    A network that restores it is later given images of any file between their percentiles, so
    that pairs are prepared in the same way.

    Args:
        radiograph: square, dense is bright, 0 outside `content`.
        content: rows and columns that are not padding.
        degrader: what takes the quality away.
        streams: those of the pair.
    """
    found = degrader.degrade(_without_padding(radiograph, content), streams(_STREAM))
    blurred = np.zeros_like(radiograph)
    blurred[content] = to_unit_range(found[content], IntensityWindow())
    return BlurredPair(blurred, {"degrader": degrader.name, **degrader.drawn(streams(_STREAM))})


def _without_padding(image: Float32Map, content: tuple[slice, slice]) -> Float32Map:
    """The edges of the content go on where the padding was: its black would creep inwards."""
    rows, columns = content
    height, width = image.shape
    return np.pad(
        image[content],
        ((rows.start, height - rows.stop), (columns.start, width - columns.stop)),
        mode="edge",
    )


def pair_arrays(
    radiograph: Float32Map,
    blurred: Float32Map,
    lung: NDArray[np.uint8],
    nodules: NDArray[np.uint8],
) -> dict[str, NDArray[Any]]:
    """The arrays (y, x) of a pair by the names of the task."""
    return {"blurred": blurred, "radiograph": radiograph, "lung": lung, "nodules": nodules}
