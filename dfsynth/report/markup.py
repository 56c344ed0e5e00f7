"""Facts and images as HTML that a notebook shows: in one piece, escaped, without scripts."""

import base64
import html
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.printable_text import printable
from dfsynth.report.colours import colour_table, limit_text
from dfsynth.report.image_file import encode_png
from dfsynth.report.panel import draw_failure, draw_map, draw_missing, fitted_size
from dfsynth.report.sheet import SheetColumn, SheetRow, failed

_SIDE: Final = 224
"""Pixels of an image's longer side."""
# Colours of text come from the notebook, so that light and dark themes both read well.
_FIGURE: Final = "margin:0;display:inline-block;vertical-align:top"
_CELL: Final = "text-align:left;padding:1px 12px 1px 0;vertical-align:top"
_CAPTION: Final = "font-size:small;white-space:nowrap;overflow:hidden;text-overflow:ellipsis"
_FAINT: Final = "opacity:0.75;font-size:smaller"


def facts_markup(title: str, facts: Mapping[str, str], notice: str) -> str:
    """A title over a table of facts, and a notice below, as HTML."""
    lines = "".join(
        f'<tr><th style="{_CELL}">{_text(name)}</th><td style="{_CELL}">{_text(value)}</td></tr>'
        for name, value in facts.items()
    )
    return (
        f"<div><strong>{_text(title)}</strong>"
        f'<table style="border-collapse:collapse">{lines}</table>'
        f'<div style="{_FAINT}">{_text(notice)}</div></div>'
    )


def images_markup(
    row: SheetRow, columns: Sequence[SheetColumn], facts: Mapping[str, str], notice: str
) -> str:
    """One image as its maps side by side, with colour scales, facts and a notice, as HTML.

    Images are PNG inside the HTML, which so needs no file. A map that is not stored is a box
    that says so, one that failed is hatched and says why.
    """
    figures = "".join(
        _figure(row, index, column, row.caption[0]) for index, column in enumerate(columns)
    )
    title = " · ".join(row.caption)
    shown = facts_markup(title, facts, notice)
    return f'<div><div style="white-space:normal">{figures}</div>{shown}</div>'


def _figure(row: SheetRow, index: int, column: SheetColumn, name: str) -> str:
    values = row.images[index]
    height = _SIDE
    if values is not None:
        size = fitted_size(values.shape, _SIDE)
        height = min(size[0], _SIDE)
    canvas = np.empty((height, _SIDE, 3), np.uint8)
    if values is None:
        draw_missing(canvas)
    elif failed(values):
        draw_failure(canvas, "failed" if row.failure is None else f"failed: {row.failure}")
    else:
        draw_map(canvas, values, column.colour_map, (column.vmin, column.vmax))
    scale = colour_table(column.colour_map)[None].repeat(8, axis=0)
    unit = "" if column.unit == "1" else f" {column.unit}"
    return (
        f'<figure style="{_FIGURE};width:{_SIDE}px;padding-right:8px">'
        f'<figcaption style="{_CAPTION}">{_text(column.title)}</figcaption>'
        f'<img alt="{_text(f"{column.title} of {name}")}" width="{_SIDE}" height="{height}" '
        f'style="display:block" src="{_source(canvas)}">'
        f'<img alt="" width="{_SIDE}" height="8" style="display:block" src="{_source(scale)}">'
        f'<div style="{_FAINT};display:flex;justify-content:space-between">'
        f"<span>{limit_text(column.vmin)}</span><span>{_text(unit)}</span>"
        f"<span>{limit_text(column.vmax)}</span></div></figure>"
    )


def _source(rgb: NDArray[np.uint8]) -> str:
    return f"data:image/png;base64,{base64.b64encode(encode_png(rgb)).decode('ascii')}"


def _text(text: str) -> str:
    return html.escape(printable(text))
