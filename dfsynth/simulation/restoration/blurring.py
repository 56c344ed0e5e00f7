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


@dataclass(frozen=True, slots=True)
class Blurring:
    """How blurred images of pairs are made."""

    degrader: Degrader
    """What takes the quality away."""
    plain: bool = False
    """Whether of plain DRRs in place of radiographs, which then have one look; whoever calls `blur`
    sees to it."""

    @property
    def name(self) -> str:
        """What the manifest calls it."""
        return f"{self.degrader.name}, plain" if self.plain else self.degrader.name

    def blur(
        self, shown: Float32Map, content: tuple[slice, slice], streams: Streams
    ) -> BlurredPair:
        """What is left of an image (y, x) in [0, 1], between its own percentiles.

        A network that restores it is later given images of any file between their percentiles, so
        that pairs are prepared in the same way.

        Args:
            shown: square, dense is bright, 0 outside `content`.
            content: rows and columns that are not padding.
            streams: those of the pair.
        """
        found = self.degrader.degrade(_without_padding(shown, content), streams(_STREAM))
        blurred = np.zeros_like(shown)
        blurred[content] = to_unit_range(found[content], IntensityWindow())
        drawn = self.degrader.drawn(streams(_STREAM))
        return BlurredPair(blurred, {"degrader": self.name, **drawn})


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
