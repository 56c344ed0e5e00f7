"""Which images of a report have thumbnails, so that every threshold has some on both sides."""

from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.report.browser import GroupColumn, NumberColumn

_MOST_GROUPS: Final = 30
"""Of one column, the commonest first, that are seen to."""
_OF_A_GROUP: Final = 3
_SEED: Final = 20261129


def choose_images(
    finished: int,
    numbers: Sequence[NumberColumn],
    default: str | None,
    groups: Sequence[GroupColumn],
    count: int,
) -> list[int]:
    """Positions, ascending, of at most `count` of `finished` images; equal inputs give equal ones.

    In turns, until there are enough: ranks of the column `default`, spread evenly from end to end,
    then of the other columns, then a few of every group, then any. So wherever a threshold is put
    in any column, images lie close to it, and at both ends.
    """
    if finished <= count:
        return list(range(finished))
    rng = np.random.default_rng(_SEED)
    main = [_spread(c.values) for c in numbers if c.name == default]
    others = [_spread(c.values) for c in numbers if c.name != default]
    of_groups = list(chain.from_iterable(_some_of_each(group, rng) for group in groups))
    wishes = [*main, _in_turns(others), iter(of_groups), iter(rng.permutation(finished).tolist())]
    chosen: dict[int, None] = {}
    for position in _in_turns(wishes):
        if len(chosen) == count:
            break
        chosen.setdefault(position)
    return sorted(chosen)


def _in_turns(wishes: Sequence[Iterator[int]]) -> Iterator[int]:
    for turn in zip_longest(*wishes):
        yield from (position for position in turn if position is not None)


def _spread(values: NDArray[np.float32]) -> Iterator[int]:
    """Positions of all that have a number: both ends, the middle, the quarters, and so on."""
    known = np.flatnonzero(np.isfinite(values))
    ranked = known[np.argsort(values[known], kind="stable")]
    if not len(ranked):
        return
    last, parts = len(ranked) - 1, 1
    yield int(ranked[0])
    yield int(ranked[last])
    while parts <= last:
        # Halves, then quarters: the odd ones are those that did not come before.
        for part in range(1, 2 * parts, 2):
            yield int(ranked[last * part // (2 * parts)])
        parts *= 2


def _some_of_each(group: GroupColumn, rng: np.random.Generator) -> Iterator[int]:
    owners = (
        np.arange(len(group.codes))
        if group.offsets is None
        else np.repeat(np.arange(len(group.offsets) - 1), np.diff(group.offsets))
    )
    for code in range(min(len(group.labels), _MOST_GROUPS)):
        members = owners[group.codes == code]
        taken = rng.choice(members, min(_OF_A_GROUP, len(members)), replace=False)
        yield from map(int, taken)
