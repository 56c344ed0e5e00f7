"""Plain contact sheets: named rows of images."""

import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

_SHOWN_SIDE = 192
_TITLE_HEIGHT = 22


def sheet_path(folder: Path, name: str) -> Path:
    """The PNG in `folder` for a set of images of any name."""
    return folder / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}.png"


def draw_sheet(path: Path, rows: Sequence[tuple[str, NDArray[np.uint8]]]) -> None:
    """Writes a PNG: under each title its images (n, y, x) or (n, y, x, 3) in BGR."""
    most = max(len(images) for _, images in rows)
    strips = []
    for title, images in rows:
        strip = np.zeros((_TITLE_HEIGHT + _SHOWN_SIDE, most * _SHOWN_SIDE, 3), np.uint8)
        for number, image in enumerate(images):
            left = number * _SHOWN_SIDE
            strip[_TITLE_HEIGHT:, left : left + _SHOWN_SIDE] = _shown(image)
        cv2.putText(strip, title, (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1)
        strips.append(strip)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.vstack(strips))


def _shown(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    colour = image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    side = (_SHOWN_SIDE, _SHOWN_SIDE)
    return np.asarray(cv2.resize(colour, side, interpolation=cv2.INTER_AREA), np.uint8)
