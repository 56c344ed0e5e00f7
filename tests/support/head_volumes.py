"""Heads of ellipsoids as MR magnitudes, written as volumes of many forms."""

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK

SPACING_MM = (1.5, 1.5, 3.0)
"""Of columns, rows and planes."""


def head(seed: int = 0, shape: tuple[int, int, int] = (14, 44, 36)) -> np.ndarray:
    """(planes from the feet up, rows to the back, columns to the left) int16; top and bottom are
    empty, and nothing in it is symmetric."""
    rng = np.random.default_rng(seed)
    axes = (np.linspace(-1, 1, n) for n in shape)
    z, y, x = np.meshgrid(*axes, indexing="ij")
    skull = (z / 0.8) ** 2 + (y / 0.85) ** 2 + (x / 0.85) ** 2
    values = np.where(skull < 1, 900.0, 0.0)
    values[skull < 0.8] = 500.0
    for _ in range(6):
        centre = rng.uniform(-0.4, 0.4, 3)
        size = rng.uniform(0.1, 0.3, 3)
        place = zip((z, y, x), centre, size, strict=True)
        values[sum(((g - c) / s) ** 2 for g, c, s in place) < 1] = rng.uniform(200, 800)
    values[(z > 0) & (y < -0.3) & (x > 0.3) & (skull < 0.8)] = 300.0
    values[np.abs(z) < 0.8] += rng.normal(0, 4, values[np.abs(z) < 0.8].shape)
    return np.clip(np.rint(values), 0, None).astype(np.int16)


def head_image(values: np.ndarray) -> Any:
    """A SimpleITK image in LPS of values that lie as `head` gives them."""
    image = SimpleITK.GetImageFromArray(values)
    image.SetSpacing(SPACING_MM)
    return image


def write_head(path: Path, values: np.ndarray) -> Path:
    SimpleITK.WriteImage(head_image(values), str(path))
    return path


def write_heads(folder: Path, count: int) -> Path:
    """`count` volumes of as many people: head-00.nii.gz, head-01.nii.gz, …"""
    folder.mkdir()
    for number in range(count):
        write_head(folder / f"head-{number:02d}.nii.gz", head(number))
    return folder
