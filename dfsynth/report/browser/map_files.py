"""Maps of an image for a page: a small strip of them to look at, and their values to point at."""

import base64
import json
from collections.abc import Sequence
from typing import Final

import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray

from dfsynth.report.browser.facts import GalleryMap
from dfsynth.report.image_file import encode_lossy
from dfsynth.report.panel import SLOT, draw_map, fitted_size

STRIP_SIDE: Final = 144
"""Longer side in pixels of a map in a strip."""
_STRIP_GAP: Final = 2
_EFFORT: Final = 10
"""Of 100: more takes twice as long or longer, and not a per cent less room."""
MOST_PIXELS: Final = 512
"""Longest side in pixels of the maps whose values a page shows; larger ones are averaged."""


def encode_strip(maps: Sequence[NDArray[np.float32] | None], drawn: Sequence[GalleryMap]) -> bytes:
    """A WebP of the maps (y, x) of an image side by side, each on the scale of its kind.

    A map that is not stored is left grey. All maps have one shape.
    """
    shape = next(values.shape for values in maps if values is not None)
    height, width = fitted_size((shape[0], shape[1]), STRIP_SIDE)
    step = width + _STRIP_GAP
    canvas = np.full((height, step * len(maps) - _STRIP_GAP, 3), SLOT, np.uint8)
    for index, (values, kind) in enumerate(zip(maps, drawn, strict=True)):
        if values is not None:
            panel = canvas[:, index * step : index * step + width]
            draw_map(panel, values, kind.colour_map, (kind.vmin, kind.vmax))
    return encode_lossy(canvas)


def encode_maps(
    row: int, maps: Sequence[NDArray[np.float32] | None], drawn: Sequence[GalleryMap]
) -> bytes:
    """A script that hands the values of an image's maps (y, x) to the page.

    Each map goes as an exact 8-bit WebP with its own lowest and highest value, so that what is read
    from it is off by half a step of its kind's levels at most. Pixels that are not finite are 0,
    the others 1 and more. A page from a disk may not look into an image file, but into one inside
    a script.
    """
    packed = [
        None if values is None else _pack(_shrunk(values), kind.levels)
        for values, kind in zip(maps, drawn, strict=True)
    ]
    text = json.dumps({"row": row, "maps": packed}, separators=(",", ":"))
    return f"dfsynthReport.takeMaps({text});\n".encode()


def _shrunk(values: NDArray[np.float32]) -> NDArray[np.float32]:
    if max(values.shape) <= MOST_PIXELS:
        return values
    height, width = fitted_size((values.shape[0], values.shape[1]), MOST_PIXELS)
    return cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)


def _pack(values: NDArray[np.float32], steps: int) -> dict[str, float | int | str]:
    known = np.isfinite(values)
    low = float(values[known].min()) if known.any() else 0.0
    high = float(values[known].max()) if known.any() else 0.0
    scale = steps / (high - low) if high > low else 0.0
    filled = np.where(known, values, low).astype(np.float64)
    levels = np.where(known, 1 + np.rint((filled - low) * scale), 0).astype(np.uint8)
    grey = np.repeat(levels[..., None], 3, axis=2)
    exact = imagecodecs.webp_encode(grey, level=_EFFORT, lossless=True, method=4)
    return {
        "low": low,
        "high": high,
        "width": values.shape[1],
        "height": values.shape[0],
        "steps": steps,
        "webp": base64.b64encode(exact).decode(),
    }
