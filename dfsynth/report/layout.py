"""Where everything of a contact sheet lies. Numbers only: boxes that never overlap."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.report.text import BODY, HEADING, SMALL, TITLE

MAX_WIDTH: Final = 2400
"""Widest sheet in pixels."""
_MARGIN: Final = 32
_PANEL_GAP: Final = 8
_GROUP_GAP: Final = 40
_ROW_GAP: Final = 14
_LARGEST_PANEL: Final = 224
_SMALLEST_PANEL: Final = 48
_BAR_HEIGHT: Final = 8
_SPACE: Final = 6


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the sheet, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def of(self, canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The part of `canvas` (y, x, 3) inside the box, as a view."""
        return canvas[self.top : self.top + self.height, self.left : self.left + self.width]


@dataclass(frozen=True, slots=True)
class HeaderBoxes:
    """The head of one column of panels."""

    title: Box
    bar: Box
    ticks: Box


@dataclass(frozen=True, slots=True)
class Grid:
    """How the images are spread: `groups` images side by side, `columns` panels each."""

    groups: int
    columns: int
    panel: int
    """Side in pixels of the square that a map is fitted into."""

    @property
    def group_width(self) -> int:
        return self.columns * self.panel + (self.columns - 1) * _PANEL_GAP

    @property
    def content_width(self) -> int:
        """Width of the sheet without its margins."""
        return self.groups * self.group_width + (self.groups - 1) * _GROUP_GAP

    def left(self, group: int, column: int = 0) -> int:
        """Left edge of a column of panels."""
        start = _MARGIN + group * (self.group_width + _GROUP_GAP)
        return start + column * (self.panel + _PANEL_GAP)


def choose_grid(images: int, columns: int) -> Grid:
    """One image a line up to 4 images, two up to 24, else three, as far as the width allows.

    Raises:
        ValueError: so many columns that a panel would be smaller than 48 pixels.
    """
    wanted = 1 if images <= 4 else 2 if images <= 24 else 3
    for groups in range(wanted, 1, -1):
        panel = _panel_side(groups, columns)
        if panel >= _LARGEST_PANEL * 3 // 4:
            return Grid(groups, columns, panel)
    return block_grid(1, columns)


def block_grid(blocks: int, columns: int) -> Grid:
    """One image of each of so many blocks a line.

    Raises:
        ValueError: so many columns that a panel would be smaller than 48 pixels.
    """
    panel = _panel_side(blocks, columns)
    if panel < _SMALLEST_PANEL:
        raise ValueError(f"{columns} columns do not fit a sheet {MAX_WIDTH} pixels wide")
    return Grid(blocks, columns, panel)


def _panel_side(groups: int, columns: int) -> int:
    """The largest side in pixels that fits, at most 224."""
    bare = Grid(groups, columns, 0)
    side = (MAX_WIDTH - 2 * _MARGIN - bare.content_width) // (groups * columns)
    return min(side, _LARGEST_PANEL)


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """The boxes of one sheet."""

    grid: Grid
    line_heights: tuple[int, ...]
    """Height of the panels on each line of images."""
    caption_lines: int
    footer_lines: int
    has_blocks: bool = False
    """Whether every group of columns has a title of its own."""

    @property
    def width(self) -> int:
        return self.grid.content_width + 2 * _MARGIN

    @property
    def height(self) -> int:
        return self._footer_top + self.footer_lines * SMALL.line + _MARGIN // 2

    @property
    def title(self) -> Box:
        return Box(_MARGIN, _MARGIN // 2, self.grid.content_width, TITLE.line)

    @property
    def rule(self) -> Box:
        """The line above the footer."""
        return Box(_MARGIN, self._footer_top - _SPACE - 1, self.grid.content_width, 1)

    def block(self, group: int) -> Box:
        """The title of a group of columns; without height where there is none."""
        top = self.title.top + self.title.height + _SPACE
        height = TITLE.line if self.has_blocks else 0
        return Box(self.grid.left(group), top, self.grid.group_width, height)

    def header(self, group: int, column: int) -> HeaderBoxes:
        """The head of a column of panels."""
        left, width = self.grid.left(group, column), self.grid.panel
        block = self.block(group)
        top = block.top + block.height
        bar = top + HEADING.line
        return HeaderBoxes(
            title=Box(left, top, width, HEADING.line),
            bar=Box(left, bar, width, _BAR_HEIGHT),
            ticks=Box(left, bar + _BAR_HEIGHT, width, SMALL.line),
        )

    def panel(self, image: int, column: int) -> Box:
        """Where a panel of an image goes."""
        line, group = divmod(image, self.grid.groups)
        left = self.grid.left(group, column)
        return Box(left, self._line_top(line), self.grid.panel, self.line_heights[line])

    def caption(self, image: int, line_index: int) -> Box:
        """A line of text below the panels of an image."""
        line, group = divmod(image, self.grid.groups)
        top = self._line_top(line) + self.line_heights[line] + line_index * BODY.line
        return Box(self.grid.left(group), top, self.grid.group_width, BODY.line)

    def footer(self, line_index: int) -> Box:
        """A line of the footer."""
        top = self._footer_top + line_index * SMALL.line
        return Box(_MARGIN, top, self.grid.content_width, SMALL.line)

    @property
    def _footer_top(self) -> int:
        return self._line_top(len(self.line_heights)) + 2 * _SPACE

    def _line_top(self, line: int) -> int:
        ticks = self.header(0, 0).ticks
        below = self.caption_lines * BODY.line + _ROW_GAP
        above: Sequence[int] = [0, *accumulate(height + below for height in self.line_heights)]
        return ticks.top + ticks.height + _SPACE + above[line]
