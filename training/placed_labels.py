"""Labels beside points that overlap neither each other nor any point."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

_DISTANCES: Final = (8.0, 16.0, 26.0, 38.0, 52.0)
"""Between a point and its label, in points (1/72 inch); the nearest free place is taken."""
_DIRECTIONS: Final = np.linspace(0, 2 * np.pi, 16, endpoint=False)
_FONT: Final = 8
_MARKER: Final = 8.0
"""Side of what a point covers, in pixels at 72 an inch."""


@dataclass(frozen=True, slots=True)
class PointLabel:
    """What stands beside a point."""

    text: str
    point: tuple[float, float]
    """In data."""
    colour: str


def place_labels(figure: Figure, labels: Sequence[tuple[Axes, Sequence[PointLabel]]]) -> None:
    """Labels the points of each axes, once all else of the figure is there.

    A label that finds no free place within its axes stands right of its point.
    """
    figure.draw_without_rendering()
    half = _MARKER / 2 * figure.dpi / 72
    for axes, wanted in labels:
        middles = axes.transData.transform([label.point for label in wanted])
        taken = [Bbox([middle - half, middle + half]) for middle in middles]
        for label in wanted:
            taken.append(_placed(axes, label, taken))


def _placed(axes: Axes, label: PointLabel, taken: Sequence[Bbox]) -> Bbox:
    """Writes one label; what it covers, in pixels."""
    note = axes.annotate(
        label.text,
        label.point,
        xytext=(0, 0),
        textcoords="offset points",
        fontsize=_FONT,
        color=label.colour,
        va="center",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        arrowprops={"arrowstyle": "-", "color": label.colour, "linewidth": 0.6, "shrinkB": 3},
    )
    note.set_in_layout(False)
    for distance, angle in product(_DISTANCES, _DIRECTIONS):
        covered = _moved(note, distance, angle)
        inside = axes.bbox.count_contains(covered.corners()) == len(covered.corners())
        if inside and not any(covered.overlaps(other) for other in taken):
            return covered
    return _moved(note, _DISTANCES[0], 0.0)


def _moved(note: Annotation, distance: float, angle: float) -> Bbox:
    """What the text covers, in pixels, once it is so far from its point, which it then faces."""
    across, up = distance * np.cos(angle), distance * np.sin(angle)
    note.set_position((across, up))
    if abs(across) < distance / 4:
        note.set_horizontalalignment("center")
    else:
        note.set_horizontalalignment("left" if across > 0 else "right")
    # Lays the note out; what it gives holds the leader too.
    note.get_window_extent()
    return Text.get_window_extent(note)
