"""A task of a user's own, and pairs for it: sharp and smooth slices in HU."""

from pathlib import Path

import numpy as np

TASK = """
name = "ct-kernel"
title = "smooth CT slices from sharp ones"
modality = "CT"
window = [-1000.0, 1000.0]

[input]
array = "sharp"
long_name = "CT slice of a sharp kernel"
unit = "HU"
intensity = [-1000.0, 1000.0]

[output]
array = "soft"
noun = "smooth CT slice"
unit = "HU"
intensity = [-1000.0, 1000.0]

[pairs]
target = "smooth"

[[array]]
name = "sharp"
dtype = "float32"
meaning = "CT slice of a sharp kernel"
unit = "HU"
units = "HU"
window = [-1000.0, 1000.0]
span = [-1024.0, 3071.0]
title = "sharp"
shown_unit = "HU"

[[array]]
name = "smooth"
dtype = "float32"
meaning = "CT slice of a smooth kernel"
unit = "HU"
units = "HU"
window = [-1000.0, 1000.0]
span = [-1024.0, 3071.0]
title = "smooth"
shown_unit = "HU"
"""
RECIPE = """
name = "kernels"
task = "ct-kernel.toml"
size = 32
batch = 4
window = [-1000.0, 1000.0]
[network]
stages = 1
widths = [8, 16]
lung_head = false
[augmentation]
contrast = 0.0
[loss]
residual_box = 3
lung = 0.0
[[phase]]
name = "one"
stages = [1]
steps = 3
learning_rate = 1e-3
"""


def write_task(folder: Path, old: str = "", new: str = "") -> Path:
    """The task in a file, with `new` in place of the first `old`."""
    assert old in TASK
    path = folder / "ct-kernel.toml"
    path.write_text(TASK.replace(old, new, 1) if old else TASK)
    return path


def write_slices(root: Path, pairs: int, side: int = 32) -> tuple[Path, Path]:
    """Two folders of NumPy files of equal names, from air to soft tissue."""
    folders = root / "sharp", root / "smooth"
    for folder in folders:
        folder.mkdir(parents=True)
    rows = np.linspace(-1000, 100, side)
    for number in range(pairs):
        smooth = np.roll(np.add.outer(rows, rows) / 2, number, axis=0)
        noise = np.random.default_rng(number).normal(0, 50, smooth.shape)
        for folder, values in zip(folders, (smooth + noise, smooth), strict=True):
            np.save(folder / f"case{number:03d}.npy", values.astype(np.float32))
    return folders


def rescale(folder: Path, scale: float, only: str = "*") -> None:
    """Multiplies the values of files."""
    for path in sorted(folder.glob(only)):
        np.save(path, np.load(path) * np.float32(scale))
