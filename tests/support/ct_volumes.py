"""A thorax of ellipsoids in Hounsfield units, and writers that store it in many ways."""

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import SimpleITK
from dicom_slices import PIXEL_MM, SLICE_MM, dicom_slice
from pydicom.uid import generate_uid

from dfsynth.simulation.ct import CtVolume
from dfsynth.simulation.volumes import VolumeCandidate, VolumeFormat

Axes: TypeAlias = tuple[float, float, float]
"""One value for each of z, y and x."""


def ellipsoid(grid: list[np.ndarray], centre: Axes, half: Axes) -> np.ndarray:
    squares = [((g - c) / h) ** 2 for g, c, h in zip(grid, centre, half, strict=True)]
    return np.sum(squares, axis=0) < 1


def thorax_hu(**changes: Any) -> np.ndarray:
    """(z upwards, y to the back, x to the left) int16: a patient on a table, heart to the left."""
    size = changes.get("size", (84, 90, 124))
    z, y, x = (
        (np.arange(n) - (n - 1) / 2) * step
        for n, step in zip(size, (SLICE_MM, PIXEL_MM, PIXEL_MM), strict=True)
    )
    grid = list(np.meshgrid(z, y, x, indexing="ij"))
    wide = 1e9
    hu = np.full(size, -1000.0)
    hu[(grid[1] > 118) & (grid[1] < 124)] = 150  # the table
    hu[ellipsoid(grid, (0, 0, 0), (wide, 105, 160))] = 30
    hu[ellipsoid(grid, (0, 0, 0), (wide, 90, 145))] = 40
    right = ellipsoid(grid, (5, 0, -75), (105, 72, 55))
    left = ellipsoid(grid, (5, 0, 75), (100, 68, 50))
    heart = ellipsoid(grid, (-35, -25, 22), (50, 45, 45))
    domes = ellipsoid(grid, (-150, 0, 0), (100, 120, 150))
    air = (right & changes.get("right", True)) | (left & changes.get("left", True))
    # Denser at the back, as in someone who lies on it.
    hu = np.where(air & ~heart & ~domes, -860 + 0.6 * grid[1], hu)
    lung = air & ~heart & ~domes
    hu = np.where(lung, (1 + hu / 1000) * changes.get("rarefied", 1) * 1000 - 1000, hu)
    hu[lung & (grid[0] > changes.get("destroyed_above", wide))] = -970
    if changes.get("consolidated"):
        hu[ellipsoid(grid, (10, 0, -75), (45, 40, 30))] = 20
    hu[heart] = changes.get("heart", 45)
    hu[ellipsoid(grid, (0, 70, 0), (wide, 17, 17))] = 450  # the spine
    hu[ellipsoid(grid, (70, 15, 0), (80, 9, 9))] = -1000  # the trachea
    hu[ellipsoid(grid, (0, 15, -75), (60, 5, 5))] = 40  # a vessel
    hu += np.random.default_rng(1).normal(0, changes.get("noise", 8), size)
    return np.clip(np.rint(hu), -1024, 3071).astype(np.int16)


def image_of(hu: np.ndarray, slice_mm: float = SLICE_MM) -> Any:
    image = SimpleITK.GetImageFromArray(hu)
    image.SetSpacing((PIXEL_MM, PIXEL_MM, slice_mm))
    return image


def write_series(folder: Path, hu: np.ndarray, **changes: Any) -> Path:
    """One DICOM file a slice, named so that their order says nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    series = changes.pop("series", generate_uid())
    positions = changes.pop("positions", np.arange(len(hu)) * SLICE_MM)
    edit = changes.pop("edit", None)
    names = np.random.default_rng(3).permutation(len(hu))
    for index, (section, z_mm) in enumerate(zip(hu, positions, strict=True)):
        dataset = dicom_slice(section, float(z_mm), series)
        for tag, value in changes.items():
            setattr(dataset, tag, value)
        if edit is not None:
            edit(dataset, index)
        dataset.save_as(folder / f"{series[-6:]}_{names[index]:04d}.dcm", enforce_file_format=True)
    return folder


def candidate_of(path: Path) -> VolumeCandidate:
    name = path.name
    kind = (
        VolumeFormat.NIFTI
        if ".nii" in name
        else VolumeFormat.NRRD
        if ".n" in name
        else VolumeFormat.META_IMAGE
    )
    return VolumeCandidate(name, kind, (path,), "unknown", name)


def volume_of(hu: np.ndarray) -> CtVolume:
    """As `read_volume` gives it, without a file."""
    turned = np.ascontiguousarray(np.moveaxis(hu, 0, 1)[::-1, ::-1])
    return CtVolume("made", turned, (PIXEL_MM, SLICE_MM, PIXEL_MM), "0" * 64, "unknown")
