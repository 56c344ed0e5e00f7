"""One panel of a contact sheet: a map fitted into its box, or why there is none."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dfsynth.report.colours import hatch, paint
from dfsynth.report.text import BODY, Rgb, drawable, shorten, width_of, write

SLOT: Final[Rgb] = (30, 30, 33)
"""Behind maps that do not fill their box."""
_FAINT: Final[Rgb] = (120, 120, 126)
_PLAIN: Final[Rgb] = (222, 222, 226)
_PADDING: Final = 10


def fitted_size(shape: tuple[int, int], side: int) -> tuple[int, int]:
    """(height, width) of an image of `shape` whose longer side becomes `side`."""
    scale = side / max(shape)
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def draw_map(
    canvas: NDArray[np.uint8],
    values: NDArray[np.float32],
    colour_map: str,
    limits: tuple[float, float],
) -> None:
    """Draws `values` (y, x) in the middle of `canvas` (y, x, 3), its aspect kept.

    Pixels that are not finite are hatched.
    """
    canvas[:] = SLOT
    height, width = fitted_size(values.shape, canvas.shape[1])
    scale = min(1.0, canvas.shape[0] / height)
    size = max(1, round(height * scale)), max(1, round(width * scale))
    top, left = (canvas.shape[0] - size[0]) // 2, (canvas.shape[1] - size[1]) // 2
    canvas[top : top + size[0], left : left + size[1]] = paint(
        _resize(values, size), colour_map, *limits
    )


def draw_missing(canvas: NDArray[np.uint8]) -> None:
    """Fills `canvas` (y, x, 3) with the words for a map that the store does not hold."""
    canvas[:] = SLOT
    write(canvas, shorten("not stored", BODY, canvas.shape[1]), BODY, _FAINT, "centre")


def draw_failure(canvas: NDArray[np.uint8], reason: str) -> None:
    """Hatches `canvas` (y, x, 3) and writes `reason` in its middle."""
    canvas[:] = hatch(*canvas.shape[:2])
    text = shorten(drawable(reason), BODY, canvas.shape[1] - 2 * _PADDING)
    half_width = (width_of(text, BODY) + 1) // 2 + _PADDING
    half_height = BODY.line // 2 + 2
    y, x = canvas.shape[0] // 2, canvas.shape[1] // 2
    label = canvas[
        max(0, y - half_height) : y + half_height, max(0, x - half_width) : x + half_width
    ]
    label[:] = SLOT
    write(label, text, BODY, _PLAIN, "centre")


def _resize(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Values (y, x) at `size`; a pixel is known where most of what it covers is."""
    height, width = size
    how = cv2.INTER_AREA if height < values.shape[0] else cv2.INTER_LINEAR
    known = np.isfinite(values)
    filled = np.where(known, values, 0).astype(np.float32)
    if known.all():
        return cv2.resize(filled, (width, height), interpolation=how).astype(np.float32)
    # The mean over the known pixels alone, so that the edge of a gap is not darkened by it.
    weight = cv2.resize(known.astype(np.float32), (width, height), interpolation=how)
    total = cv2.resize(filled, (width, height), interpolation=how)
    safe = np.maximum(weight, np.float32(0.5))
    return np.where(weight >= 0.5, total / safe, np.nan).astype(np.float32)
