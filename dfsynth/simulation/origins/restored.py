"""Bodies whose radiographs a network restores: `--display restored`, for any origin of bodies."""

from dataclasses import replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from dfsynth.preprocess import to_unit_range, window_ends
from dfsynth.records import Float32Map, IntensityWindow, MadePair, PairItem
from dfsynth.simulation.origins.origin import PairOrigin, SubjectListing
from dfsynth.simulation.streams import Streams

_RADIOGRAPH: Final = "attenuation"
_STREAM: Final = "restored display"


class Restorer(Protocol):
    """Makes a blurred radiograph sharp; called by several threads at once."""

    def restore(self, image: Float32Map, rng: np.random.Generator) -> Float32Map:
        """An image (y, x) between its percentiles, in [0, 1] → the same shape and range.

        It depends on the image and what it draws from `rng` alone.
        """


class RestoredOrigin:
    """Implements `PairOrigin`: another origin's pairs, their radiographs restored.

    The network sees the image as the display layer leaves it. Nothing else of the pair changes:
    what was true of the body is true of the restored image as far as that kept its geometry,
    which `benchmarks/restored_geometry.py` measures.
    """

    def __init__(self, origin: PairOrigin, restorer: Restorer) -> None:
        """Pairs of `origin`, whose array `attenuation` the restorer makes anew."""
        self._origin = origin
        self._restorer = restorer

    def list_subjects(self, count: int) -> SubjectListing:
        """See `PairOrigin`."""
        return self._origin.list_subjects(count)

    def fingerprint(self) -> str:
        """See `PairOrigin`; what restores is among the settings of the simulation."""
        return self._origin.fingerprint()

    def make(self, item: PairItem) -> MadePair:
        """See `PairOrigin`."""
        made = self._origin.make(item)
        image = made.arrays[_RADIOGRAPH]
        restored = restore_display(image, self._restorer, display_stream(item.seed))
        return replace(made, arrays={**made.arrays, _RADIOGRAPH: restored})


def display_stream(seed: int) -> np.random.Generator:
    """What the restored display of the pair of this seed draws from, at its start."""
    return Streams(seed)(_STREAM)


def restore_display(image: Float32Map, restorer: Restorer, rng: np.random.Generator) -> Float32Map:
    """A radiograph (y, x) in [0, 1] → the same restored, in the grey values that it had.

    Bars of padding, rows and columns along the edges that are all 0, stay as they are.
    """
    content = _inside_bars(image)
    inner = np.asarray(image[content], np.float32)
    if not inner.size:
        return image
    window = IntensityWindow()
    low, high = (np.float32(end) for end in window_ends(inner, window))
    (above, below), (left, right) = (
        (part.start, size - part.stop) for part, size in zip(content, image.shape, strict=True)
    )
    whole = np.pad(to_unit_range(inner, window), ((above, below), (left, right)), mode="edge")
    found = np.zeros_like(image)
    found[content] = low + (high - low) * restorer.restore(whole, rng)[content]
    return found


def _inside_bars(image: Float32Map) -> tuple[slice, slice]:
    """The rows and columns between those along the edges that are all 0."""
    return _between((image != 0).any(axis=1)), _between((image != 0).any(axis=0))


def _between(filled: NDArray[np.bool_]) -> slice:
    places = np.flatnonzero(filled)
    return slice(int(places[0]), int(places[-1]) + 1) if places.size else slice(0, 0)
