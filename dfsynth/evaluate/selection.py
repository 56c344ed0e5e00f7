"""Which pairs are evaluated, which images of a folder, and which pixels of an image."""

import numpy as np
from numpy.typing import NDArray

from dfsynth.datasets import PairSource, indices_in
from dfsynth.errors import UsageError


def choose_pairs(source: PairSource, split: str, limit: int | None) -> tuple[int, ...]:
    """The pairs of a split (`all`: of every one), at most `limit`, evenly spaced.

    Raises:
        UsageError: there is none.
    """
    found = tuple(range(len(source.rows))) if split == "all" else indices_in(source, split)
    if not found:
        splits = sorted({str(row.split) for row in source.rows})
        raise UsageError(
            f"no pairs of the split {split} in {source.description}: found {', '.join(splits)}; "
            "choose with --split"
        )
    return tuple(found[i] for i in evenly_spaced(len(found), limit))


def evenly_spaced(count: int, limit: int | None) -> tuple[int, ...]:
    """At most `limit` of 0 … count − 1, evenly spaced; all without a limit."""
    if limit is None or limit >= count:
        return tuple(range(count))
    return tuple(int(i) for i in np.linspace(0, count - 1, limit).round())


def draw_pixels(mask: NDArray[np.bool_], most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Flat indices of at most `most` of the pixels in `mask` (y, x), in random order."""
    return rng.permutation(np.flatnonzero(mask))[:most]
