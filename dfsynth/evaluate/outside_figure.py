"""Two panels on the means outside the lung: what they are, and in which images too high."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from dfsynth.evaluate.outside_lung import OutsideSignal

_COLOUR: Final = "#08519c"
_MOST_NAMED: Final = 8
_LONGEST_NAME: Final = 28


def draw_outside(
    means: Axes, images: Axes, signals: Sequence[OutsideSignal], names: Sequence[str]
) -> None:
    """Predicted against true mean signal, a point an image; and the images with most too much."""
    known = [index for index, found in enumerate(signals) if np.isfinite(found.excess)]
    means.set(
        title="Outside the lung: means of single images",
        xlabel="target",
        ylabel="predicted",
    )
    images.set(title="Images with most too much outside the lung")
    target = [signals[index].target for index in known]
    predicted = [signals[index].predicted for index in known]
    means.scatter(target, predicted, s=18, alpha=0.7, color=_COLOUR, edgecolors="none")
    ends = [min(0.0, *target, *predicted), max(*target, *predicted)]
    means.plot(ends, ends, "--", color="grey", label="equal")
    means.legend()
    worst = sorted(known, key=lambda index: -signals[index].excess)[:_MOST_NAMED]
    images.barh(
        [_shortened(names[index]) for index in worst][::-1],
        [signals[index].excess for index in worst][::-1],
        color=_COLOUR,
    )
    images.set(xlabel="predicted minus target, mean over the pixels outside")


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else "…" + name[1 - _LONGEST_NAME :]
