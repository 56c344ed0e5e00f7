"""Contact sheets: one line of panels per image, one colour scale per column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.counted_nouns import counted
from dfsynth.report.colours import check_limits, colour_table, limit_text
from dfsynth.report.layout import Grid, HeaderBoxes, SheetLayout, block_grid, choose_grid
from dfsynth.report.panel import draw_failure, draw_map, draw_missing, fitted_size
from dfsynth.report.text import (
    BODY,
    HEADING,
    SMALL,
    TITLE,
    Rgb,
    drawable,
    shorten,
    width_of,
    wrap,
    write,
)

BACKGROUND: Final[Rgb] = (17, 17, 19)
_BRIGHT: Final[Rgb] = (240, 240, 243)
_PLAIN: Final[Rgb] = (205, 205, 210)
_DIM: Final[Rgb] = (150, 150, 157)
_RULE: Final[Rgb] = (54, 54, 58)
_ACCENT: Final[Rgb] = (240, 196, 105)
_BLOCK_LINE: Final = 2
_BETWEEN: Final = "   "
_GAP: Final = 16


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """One kind of map, drawn on one scale over the whole sheet.

    Raises:
        ValueError: no such colour map, or the limits are not finite with vmin < vmax.
    """

    title: str
    unit: str
    colour_map: str
    """gray, bone, cividis, inferno, magma, plasma, turbo or viridis."""
    vmin: float
    """Drawn, with all below it, in the first colour."""
    vmax: float
    """Drawn, with all above it, in the last colour."""

    def __post_init__(self) -> None:
        check_limits(self.vmin, self.vmax)
        colour_table(self.colour_map)


@dataclass(frozen=True, slots=True, eq=False)
class SheetRow:
    """One image."""

    caption: tuple[str, ...]
    """First what names the image; the rest is set after it, fainter."""
    images: tuple[NDArray[np.float32] | None, ...]
    """One map (y, x) per column; None where it is not stored, NaN where the image failed."""
    failure: str | None = None
    """Why the image failed, in one word."""


def contact_sheet(
    rows: Sequence[SheetRow],
    columns: Sequence[SheetColumn],
    title: str,
    footer: str,
    blocks: Sequence[str] = (),
) -> NDArray[np.uint8]:
    """Draws maps (y, x) into a sheet (y, x, 3) RGB, at most 2400 pixels wide.

    Up to 4 images stand one below the other, up to 24 two and more three side by
    side, in reading order. A map that is all NaN is hatched and marked as failed, single NaN pixels
    are hatched. With `blocks`, the titles of blocks side by side, images go to the blocks in turn:
    the first one to the first block, the second to the second.

    Raises:
        ValueError: no image, no column, an image without one map per column, a map without two
            axes or without pixels, or too many columns.
    """
    _check(rows, columns)
    grid = block_grid(len(blocks), len(columns)) if blocks else choose_grid(len(rows), len(columns))
    captions = [_caption(row, grid.group_width) for row in rows]
    notes = wrap(drawable(footer), SMALL, grid.content_width)
    layout = SheetLayout(
        grid=grid,
        line_heights=_line_heights(rows, grid),
        caption_lines=max(len(lines) for lines in captions),
        footer_lines=len(notes),
        has_blocks=bool(blocks),
    )
    canvas = np.full((layout.height, layout.width, 3), BACKGROUND, dtype=np.uint8)
    _draw_frame(canvas, layout, title, notes)
    for group, name in enumerate(blocks):
        _draw_block(layout.block(group).of(canvas), name)
    for group in range(min(grid.groups, len(rows))):
        for index, column in enumerate(columns):
            _draw_header(canvas, layout.header(group, index), column)
    for image, row in enumerate(rows):
        for index, column in enumerate(columns):
            _draw_panel(layout.panel(image, index).of(canvas), row, index, column)
        for line, texts in enumerate(captions[image]):
            _draw_caption(layout.caption(image, line).of(canvas), texts, first=line == 0)
    return canvas


def _check(rows: Sequence[SheetRow], columns: Sequence[SheetColumn]) -> None:
    if not rows or not columns:
        raise ValueError(
            f"nothing to draw: {counted(len(rows), 'image')} in {counted(len(columns), 'column')}"
        )
    for row in rows:
        if len(row.images) != len(columns):
            raise ValueError(
                f"an image has {counted(len(row.images), 'map')} for "
                f"{counted(len(columns), 'column')}"
            )
        for image in row.images:
            if image is not None and (image.ndim != 2 or image.size == 0):
                raise ValueError(f"expected a map of axes (y, x), found the shape {image.shape}")


def _line_heights(rows: Sequence[SheetRow], grid: Grid) -> tuple[int, ...]:
    """The tallest fitted map on each line; failures take no more room than the others."""
    heights = []
    for start in range(0, len(rows), grid.groups):
        maps = [
            image
            for row in rows[start : start + grid.groups]
            for image in row.images
            if image is not None
        ]
        drawn = [image for image in maps if not failed(image)] or maps
        tall = [fitted_size(image.shape, grid.panel)[0] for image in drawn]
        heights.append(min(grid.panel, max(tall, default=grid.panel)))
    return tuple(heights)


def failed(image: NDArray[np.float32]) -> bool:
    """Whether a map (y, x) is that of an image that failed: all of it NaN."""
    return bool(np.isnan(image).all())


def _caption(row: SheetRow, width: int) -> tuple[tuple[str, ...], ...]:
    """Lines of one text, or of two that are set left and right."""
    if not row.caption:
        return ((),)
    name, rest = drawable(row.caption[0]), drawable(_BETWEEN.join(row.caption[1:]))
    if not rest:
        return ((shorten(name, BODY, width, keep_end=True),),)
    if width_of(name, BODY) + _GAP + width_of(rest, BODY) <= width:
        return ((name, rest),)
    return ((shorten(name, BODY, width, keep_end=True),), (shorten(rest, BODY, width),))


def _draw_frame(
    canvas: NDArray[np.uint8], layout: SheetLayout, title: str, notes: Sequence[str]
) -> None:
    name = shorten(drawable(title), TITLE, layout.title.width)
    write(layout.title.of(canvas), name, TITLE, _BRIGHT)
    layout.rule.of(canvas)[:] = _RULE
    for index, note in enumerate(notes):
        write(layout.footer(index).of(canvas), note, SMALL, _DIM)


def _draw_block(canvas: NDArray[np.uint8], name: str) -> None:
    """The title of a block over a line as wide as the block."""
    canvas[-_BLOCK_LINE:] = _ACCENT
    above = canvas[:-_BLOCK_LINE]
    write(above, shorten(drawable(name), TITLE, canvas.shape[1]), TITLE, _ACCENT)


def _draw_header(canvas: NDArray[np.uint8], boxes: HeaderBoxes, column: SheetColumn) -> None:
    name = shorten(drawable(column.title), HEADING, boxes.title.width)
    write(boxes.title.of(canvas), name, HEADING, _PLAIN)
    ramp = np.rint(np.linspace(0, 255, boxes.bar.width)).astype(np.uint8)
    boxes.bar.of(canvas)[:] = colour_table(column.colour_map)[ramp]
    low, high = limit_text(column.vmin), limit_text(column.vmax)
    ticks = boxes.ticks.of(canvas)
    write(ticks, low, SMALL, _DIM, "left")
    write(ticks, high, SMALL, _DIM, "right")
    taken = 2 * (max(width_of(low, SMALL), width_of(high, SMALL)) + _GAP // 2)
    # The unit 1 between two ticks reads as a third.
    named = "" if column.unit == "1" else column.unit
    unit = shorten(drawable(named), SMALL, boxes.ticks.width - taken)
    write(ticks, unit, SMALL, _DIM, "centre")


def _draw_panel(canvas: NDArray[np.uint8], row: SheetRow, index: int, column: SheetColumn) -> None:
    image = row.images[index]
    if image is None:
        draw_missing(canvas)
    elif failed(image):
        draw_failure(canvas, "failed" if row.failure is None else f"failed: {row.failure}")
    else:
        draw_map(canvas, image, column.colour_map, (column.vmin, column.vmax))


def _draw_caption(canvas: NDArray[np.uint8], texts: tuple[str, ...], first: bool) -> None:
    if texts:
        write(canvas, texts[0], BODY, _PLAIN if first else _DIM)
    if len(texts) > 1:
        write(canvas, texts[1], BODY, _DIM, "right")
