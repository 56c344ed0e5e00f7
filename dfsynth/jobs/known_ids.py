"""Which image ids are in a plan, asked of millions in little memory."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

if TYPE_CHECKING:
    Ids: TypeAlias = pa.Array[Any]
    """Of texts, none of them null."""
else:
    Ids = pa.Array

Hashes: TypeAlias = NDArray[np.int64]
_SALTS: Final = ("", "\0")


class KnownIds:
    """Sixteen bytes for each id: two hashes.

    An id with a hash that no known one has is surely unknown. An unknown one is taken for known
    only where both of its hashes are those of known ones, which in ten million ids happens by a
    chance of 1 to 10^17.
    """

    def __init__(self, chunks: Iterable[Ids]) -> None:
        """Takes up ids, a chunk at a time."""
        hashes: tuple[list[Hashes], list[Hashes]] = ([], [])
        for ids in chunks:
            for gathered, found in zip(hashes, _hashes(ids), strict=True):
                gathered.append(found)
        self._sorted = [_sorted(gathered) for gathered in hashes]

    def __len__(self) -> int:
        return len(self._sorted[0])

    def unknown(self, ids: Ids) -> NDArray[np.bool_]:
        """Whether each of these ids is not known, (n)."""
        found = np.zeros(len(ids), np.bool_)
        for known, wanted in zip(self._sorted, _hashes(ids), strict=True):
            found |= ~_is_in(known, wanted)
        return found


def _hashes(ids: Ids) -> tuple[Hashes, Hashes]:
    """Two hashes of each id, which know nothing of one another: Python's are keyed."""
    names = cast(list[str], ids.to_pylist())
    first, second = (
        np.fromiter((hash(name + salt) for name in names), np.int64, len(names)) for salt in _SALTS
    )
    return first, second


def _sorted(gathered: list[Hashes]) -> Hashes:
    """All of them in order; the list is emptied, for there may be ten million."""
    joined = np.concatenate([np.empty(0, np.int64), *gathered])
    gathered.clear()
    joined.sort()
    return joined


def _is_in(known: Hashes, wanted: Hashes) -> NDArray[np.bool_]:
    """Which of `wanted` are in `known`, which is sorted."""
    if not len(known):
        return np.zeros(len(wanted), np.bool_)
    # Looked up in order, they are found close together.
    order = np.argsort(wanted)
    places = np.searchsorted(known, wanted[order]).clip(max=len(known) - 1)
    found = np.empty(len(wanted), np.bool_)
    found[order] = known[places] == wanted[order]
    return found
