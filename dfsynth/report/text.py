"""Text in images: measured before it is drawn, cut to its box, never past it."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Align: TypeAlias = Literal["left", "centre", "right"]
Rgb: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Face:
    """A size and weight of the letters that every OpenCV carries."""

    font: int
    scale: float
    """Size over that of the font's own units."""
    line: int
    """Height of a line in pixels; no letter reaches out of it."""


TITLE: Final = Face(cv2.FONT_HERSHEY_DUPLEX, 0.68, 30)
HEADING: Final = Face(cv2.FONT_HERSHEY_DUPLEX, 0.46, 22)
BODY: Final = Face(cv2.FONT_HERSHEY_SIMPLEX, 0.44, 20)
SMALL: Final = Face(cv2.FONT_HERSHEY_SIMPLEX, 0.4, 18)

_ELLIPSIS: Final = "..."


def drawable(text: str) -> str:
    """The text in the letters that OpenCV's built-in fonts have: accents dropped, else `?`."""
    plain = unicodedata.normalize("NFKD", text.replace("–", "-").replace("—", "-"))
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return "".join(letter if " " <= letter <= "~" else "?" for letter in kept)


def width_of(text: str, face: Face) -> int:
    """Width in pixels of a drawable text."""
    (width, _), _ = cv2.getTextSize(text, face.font, face.scale, 1)
    return int(width)


def shorten(text: str, face: Face, width: int, keep_end: bool = False) -> str:
    """The text cut to `width` pixels, `...` in place of what was cut.

    Args:
        text: a drawable text.
        face: what it is measured in.
        width: in pixels; where not even the dots fit, the result is empty.
        keep_end: cut the start instead of the end.
    """

    def cut(letters: int) -> str:
        if letters == len(text):
            return text
        return _ELLIPSIS + text[len(text) - letters :] if keep_end else text[:letters] + _ELLIPSIS

    letters = _most(len(text), lambda n: width_of(cut(n), face) <= width)
    return "" if letters is None else cut(letters)


def wrap(text: str, face: Face, width: int) -> tuple[str, ...]:
    """The words of a drawable text in lines of at most `width` pixels; long words are cut."""
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(joined, face) <= width:
            lines[-1] = joined
        else:
            lines.append(shorten(word, face, width))
    return tuple(lines)


def write(
    canvas: NDArray[np.uint8], text: str, face: Face, colour: Rgb, align: Align = "left"
) -> None:
    """Draws one line of drawable text over the whole of `canvas` (y, x, 3), centred in height.

    `canvas` is a view of a larger image: nothing outside it changes.
    """
    spare = canvas.shape[1] - width_of(text, face)
    left = {"left": 0, "centre": max(spare, 0) // 2, "right": max(spare, 0)}[align]
    # Capitals are as high as 21 of Hershey's units: centred by them, lines sit level.
    (_, height), _ = cv2.getTextSize("X", face.font, face.scale, 1)
    baseline = (canvas.shape[0] + height) // 2
    cv2.putText(canvas, text, (left, baseline), face.font, face.scale, colour, 1, cv2.LINE_AA)


def _most(limit: int, fits: Callable[[int], bool]) -> int | None:
    """The largest number from `limit` down that fits; None where not even 0 does."""
    if fits(limit):
        return limit
    if not fits(0):
        return None
    low, high = 0, limit
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
