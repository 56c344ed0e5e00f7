"""Folders of small images for whole builds: valid ones, and one bad file of several kinds."""

from pathlib import Path

import cv2
import numpy as np


def write_image(path: Path, number: int, height: int = 24, width: int = 20) -> None:
    """A grey PNG with structure that differs from image to image."""
    rng = np.random.default_rng(number)
    rows, columns = np.mgrid[0:height, 0:width]
    pattern = 120 + 80 * np.sin(rows / 3 + number) * np.cos(columns / 4)
    grey = np.clip(pattern + rng.normal(0, 8, (height, width)), 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), grey)


def write_folder(root: Path, images: int) -> Path:
    """`images` PNGs in two sub-folders."""
    for number in range(images):
        write_image(root / f"part{number % 2}" / f"image{number:04d}.png", number)
    return root


def write_bad_files(root: Path) -> dict[str, str]:
    """Files that give no image: name → expected error code."""
    good = root / "good-for-cutting.png"
    write_image(good, 99)
    (root / "truncated.png").write_bytes(good.read_bytes()[:-40])
    good.unlink()
    (root / "empty.png").write_bytes(b"")
    (root / "text.png").write_bytes(b"this is no image, whatever its name says")
    assert cv2.imwrite(str(root / "flat.png"), np.full((8, 8), 7, np.uint8))
    return {
        "truncated.png": "truncated",
        "empty.png": "empty",
        "text.png": "not_an_image",
        "flat.png": "constant",
    }
