"""Pictures that are no frontal chest radiograph, from free volumes, for heads to learn from."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import SimpleITK
from numpy.random import Generator
from numpy.typing import NDArray

from dfsynth.records import Float32Map

_SIDE = 256
_MU = 0.02
"""Of water, per mm, for projections that show bone and flesh apart."""


def other_pictures(data: Path, rng: Generator) -> Iterator[tuple[str, Float32Map]]:
    """Slices and projections of heads, trunks and limbs: name and picture (y, x) in [0, 1]."""
    for path in sorted((data / "mri").glob("*.nii.gz")):
        volume, _ = _read(path)
        for axis in range(3):
            for where in rng.uniform(0.35, 0.65, 2):
                piece = np.take(volume, int(where * volume.shape[axis]), axis=axis)
                yield path.name, _picture(piece, rng)
    for path in sorted((data / "petct").glob("*_ct.nii.gz")):
        volume, spacing = _read(path)
        for axis in (1, 2):
            for _ in range(3):
                length = int(volume.shape[0] * rng.uniform(0.25, 0.7))
                start = int(rng.integers(0, volume.shape[0] - length + 1))
                yield path.name, _project(volume[start : start + length], spacing, axis, rng)


def lateral_pictures(
    volumes: list[Path], count: int, rng: Generator
) -> Iterator[tuple[str, Float32Map]]:
    """Side views projected from chest volumes: name and picture (y, x) in [0, 1]."""
    for path in volumes:
        volume, spacing = _read(path)
        for _ in range(count):
            cut = rng.uniform(0, 0.12, 2)
            rows = slice(int(cut[0] * volume.shape[0]), int((1 - cut[1]) * volume.shape[0]))
            view = _project(volume[rows], spacing, 2, rng)
            yield path.name, np.ascontiguousarray(view[:, ::-1] if rng.random() < 0.5 else view)


def _read(path: Path) -> tuple[NDArray[np.float32], tuple[float, float, float]]:
    """(z, y, x) with the head up and the face to the first row, and its spacing in mm."""
    image = SimpleITK.DICOMOrient(SimpleITK.ReadImage(str(path)), "LPI")
    spacing = image.GetSpacing()
    values = SimpleITK.GetArrayFromImage(image).astype(np.float32)
    return values, (spacing[2], spacing[1], spacing[0])


def _project(
    volume: NDArray[np.float32], spacing: tuple[float, float, float], axis: int, rng: Generator
) -> Float32Map:
    """Line integrals of attenuation along the axis, displayed as radiographs are."""
    attenuation = np.clip(volume / 1000 + 1, 0, 2.5) * _MU
    sums = attenuation.sum(axis=axis) * spacing[axis]
    across = spacing[1 if axis == 2 else 2]
    height = max(round(sums.shape[0] * spacing[0] / across), 8)
    sized = cv2.resize(sums, (sums.shape[1], height), interpolation=cv2.INTER_LINEAR)
    return _picture(1 - np.exp(-sized * rng.uniform(0.3, 1.0)), rng)


def _picture(piece: NDArray[np.float32], rng: Generator) -> Float32Map:
    low, high = np.quantile(piece, [0.01, 0.995])
    grey = np.clip((piece - low) / max(float(high - low), 1e-6), 0, 1)
    scale = _SIDE / max(grey.shape)
    size = (max(round(grey.shape[1] * scale), 8), max(round(grey.shape[0] * scale), 8))
    sized = cv2.resize(grey.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(sized ** np.exp(rng.uniform(-0.5, 0.5)), 0, 1), np.float32)
