"""Two panels on the signal outside the lung: how much there is, and in which images."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from dfsynth.evaluate.outside_lung import OutsideSignal

_COLOUR: Final = "#08519c"
_MOST_NAMED: Final = 8
_LONGEST_NAME: Final = 28


def draw_outside(
    signal: Axes, images: Axes, signals: Sequence[OutsideSignal], names: Sequence[str]
) -> None:
    """Predicted against true mean signal, a point an image; and the images with most too much."""
    known = [index for index, found in enumerate(signals) if np.isfinite(found.excess)]
    signal.set(
        title="Outside the lung: mean signal of single images",
        xlabel="target",
        ylabel="predicted",
    )
    images.set(title="Images with most signal outside the lung that is not there")
    if not known:
        for axes in (signal, images):
            axes.text(0.5, 0.5, "no lung is known", ha="center", transform=axes.transAxes)
        return
    target = [signals[index].target for index in known]
    predicted = [signals[index].predicted for index in known]
    signal.scatter(target, predicted, s=18, alpha=0.7, color=_COLOUR, edgecolors="none")
    ends = [min(0.0, *target, *predicted), max(*target, *predicted)]
    signal.plot(ends, ends, "--", color="grey", label="equal")
    signal.legend()
    worst = sorted(known, key=lambda index: -signals[index].excess)[:_MOST_NAMED]
    images.barh(
        [_shortened(names[index]) for index in worst][::-1],
        [signals[index].excess for index in worst][::-1],
        color=_COLOUR,
    )
    images.set(xlabel="predicted minus target, mean over the pixels outside")


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else "…" + name[1 - _LONGEST_NAME :]
