"""Radiographs and dark-field images as files, made of a few numbers each."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


def write_radiograph(path: Path, number: int, height: int = 20, width: int = 16) -> None:
    """Eight bits, different for each number."""
    rng = np.random.default_rng(number)
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = rng.integers(0, 256, (height, width), dtype=np.uint8)
    assert cv2.imwrite(str(path), pixels)


def write_signal(path: Path, number: int, height: int = 20, width: int = 16) -> None:
    """Floating-point TIFF with negative values."""
    values = np.random.default_rng(1000 + number).normal(0.2, 0.3, (height, width))
    write_floats(path, values.astype(np.float32))


def write_floats(path: Path, values: NDArray[np.floating]) -> None:
    """A TIFF of these values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), values)


def write_pair_folders(root: Path, pairs: int, first: int = 0) -> tuple[Path, Path]:
    """Two folders of equal names with different suffixes."""
    for number in range(first, first + pairs):
        write_radiograph(root / "attenuation" / f"case{number:03d}.png", number)
        write_signal(root / "dark" / f"case{number:03d}.tif", number)
    return root / "attenuation", root / "dark"
