"""Markers: the letters of the side, lead or burned in, and lines of text."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import cv2
import numpy as np

from dfsynth.records import Float32Map

Style: TypeAlias = Literal["plain", "ring", "label"]
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
)
_FINE = 3


@dataclass(frozen=True, slots=True)
class Marker:
    """One text in the image."""

    text: str
    x: float
    """Middle, as a share of the width; the patient's right is at the left."""
    y: float
    height: float
    """Of a capital letter, as a share of the image's height."""
    weight: float
    """Stroke over letter height."""
    angle_degrees: float
    style: Style
    """plain letters, letters in a ring, or dark letters on a bright label."""
    font: int
    """Index of the typeface, 0 to 3."""
    grey: float
    """Grey value of the ink, of a label's paper, 0 to 1."""


@dataclass(frozen=True, slots=True)
class MarkerParameters:
    """All text in one image."""

    markers: tuple[Marker, ...]


def draw_markers(rng: np.random.Generator) -> MarkerParameters:
    """One side letter beside a shoulder, and in a third of the images a line of text."""
    left = rng.random() < 0.5
    x = rng.uniform(0.04, 0.16)
    style: Style = ("plain", "ring", "label")[int(rng.choice(3, p=[0.82, 0.13, 0.05]))]
    side = Marker(
        text="L" if left else "R",
        x=float(1 - x if left else x),
        y=float(rng.uniform(0.04, 0.25) if rng.random() < 0.85 else rng.uniform(0.6, 0.9)),
        height=float(rng.uniform(0.022, 0.045)),
        weight=float(rng.uniform(0.1, 0.25)),
        angle_degrees=float(rng.normal(0, 4) if rng.random() < 0.85 else rng.uniform(-90, 90)),
        style=style,
        font=int(rng.integers(len(_FONTS))),
        grey=float(rng.uniform(0.75, 1.0)),
    )
    words = ("PA", "AP", "PA ERECT", "ERECT", "PORTABLE", "SUPINE", "AP UPRIGHT")
    note = Marker(
        text=words[int(rng.integers(len(words)))],
        x=float(rng.uniform(0.1, 0.9)),
        y=float(rng.choice([rng.uniform(0.03, 0.08), rng.uniform(0.92, 0.97)])),
        height=float(rng.uniform(0.012, 0.02)),
        weight=float(rng.uniform(0.1, 0.2)),
        angle_degrees=0.0,
        style="label" if rng.random() < 0.3 else "plain",
        font=int(rng.integers(2)),
        grey=float(rng.uniform(0.8, 1.0)),
    )
    return MarkerParameters((side, note) if rng.random() < 0.3 else (side,))


def burn_markers(image: Float32Map, parameters: MarkerParameters) -> Float32Map:
    """Grey values (y, x) in [0, 1] with the markers in place; a marker off the edge is cut."""
    marked = image.copy()
    for marker in parameters.markers:
        ink, paper = _stencils(image.shape[0], marker)
        _blend(marked, paper, marker.grey, marker)
        _blend(marked, ink, 0.05 if marker.style == "label" else marker.grey, marker)
    return marked


def _stencils(image_height: int, marker: Marker) -> tuple[Float32Map, Float32Map]:
    """Shares of ink and of label a pixel, both (y, x) and just large enough, turned."""
    letter_px = marker.height * image_height
    # Drawn larger and averaged down: OpenCV draws no thin letters.
    letter = letter_px * _FINE
    font = _FONTS[marker.font]
    stroke = max(1, round(marker.weight * letter))
    scale = letter / 22.0  # the built-in fonts have capitals of 22 pixels at scale 1
    (width, height), _ = cv2.getTextSize(marker.text, font, scale, stroke)
    side = _FINE * (2 + int(np.ceil((np.hypot(width, height) + 1.6 * letter) / _FINE)))
    ink, paper = np.zeros((side, side), np.uint8), np.zeros((side, side), np.uint8)
    middle = side // 2
    start = (middle - width // 2, middle + height // 2)
    cv2.putText(ink, marker.text, start, font, scale, 255, stroke, cv2.LINE_AA)
    if marker.style == "ring":
        radius = round(np.hypot(width, height) / 2 + 0.3 * letter)
        cv2.circle(ink, (middle, middle), radius, 255, max(1, stroke // 2), cv2.LINE_AA)
    elif marker.style == "label":
        pad = round(0.35 * letter)
        upper = (start[0] - pad, start[1] - height - pad)
        cv2.rectangle(paper, upper, (start[0] + width + pad, start[1] + pad), 255, -1)
    turn = cv2.getRotationMatrix2D((middle, middle), marker.angle_degrees, 1.0)
    size = (side // _FINE, side // _FINE)
    ink_share, paper_share = (
        cv2.resize(cv2.warpAffine(one, turn, (side, side)), size, interpolation=cv2.INTER_AREA)
        / np.float32(255)
        for one in (ink, paper)
    )
    return np.asarray(ink_share, np.float32), np.asarray(paper_share, np.float32)


def _blend(image: Float32Map, share: Float32Map, grey: float, marker: Marker) -> None:
    """Lays `share` of `grey` on `image`, in place, around the marker's middle."""
    top = round(marker.y * image.shape[0] - share.shape[0] / 2)
    left = round(marker.x * image.shape[1] - share.shape[1] / 2)
    first_row, first_column = max(top, 0), max(left, 0)
    last_row, last_column = max(top + share.shape[0], 0), max(left + share.shape[1], 0)
    window = image[first_row:last_row, first_column:last_column]
    part = share[first_row - top :, first_column - left :][: window.shape[0], : window.shape[1]]
    window += part * (np.float32(grey) - window)
