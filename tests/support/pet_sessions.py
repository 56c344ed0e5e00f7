"""A small body of ellipses with its PET, written as one session in many ways."""

from pathlib import Path

import numpy as np
import SimpleITK

VOXEL_MM = (4.0, 4.0, 5.0)
"""Along columns, rows and planes."""


def body_hu(size: tuple[int, int, int] = (12, 48, 60)) -> np.ndarray:
    """(planes from the feet up, rows to the back, columns to the left) int16: two lungs, a spine,
    a table behind, and as much of an arm on the left as tells left from right."""
    _, y, x = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in size), indexing="ij")
    hu = np.full(size, -1000.0)
    hu[(np.abs(y - 21) < 1) & (np.abs(x) < 20)] = 100
    hu[(y / 17) ** 2 + (x / 22) ** 2 < 1] = 40
    for side in (-1, 1):
        hu[(y / 11) ** 2 + ((x - 10 * side) / 8) ** 2 < 1] = -820
    hu[((y - 11) / 3) ** 2 + (x / 3) ** 2 < 1] = 400
    hu[((y - 2) / 4) ** 2 + ((x - 26) / 3) ** 2 < 1] = 30
    hu += np.random.default_rng(0).normal(0, 5, size)
    return np.rint(hu).astype(np.int16)


def body_suv(hu: np.ndarray, shift: int = 0) -> np.ndarray:
    """A PET of the same grid, moved by `shift` columns: 1 in tissue, 0.4 in the lungs, 8 in a
    spot."""
    tissue = hu > -300
    table = np.zeros_like(tissue)
    table[:, -5:] = True
    suv = np.where(tissue & ~table, 1.0, np.where((hu > -950) & (hu < -700), 0.4, 0.0))
    suv[5:7, 20:23, 28:31] = 8
    return np.roll(suv, shift, axis=2).astype(np.float32)


def write_volume(
    path: Path, values: np.ndarray, axes: str = "LPS", voxel_mm: tuple[float, ...] = VOXEL_MM
) -> Path:
    """Values (planes, rows, columns) of `body_hu`'s orientation, stored along other axes."""
    image = SimpleITK.GetImageFromArray(values)
    image.SetSpacing(voxel_mm)
    image.SetOrigin((-118.0, -94.0, -300.0))
    path.parent.mkdir(parents=True, exist_ok=True)
    SimpleITK.WriteImage(SimpleITK.DICOMOrient(image, axes), str(path))
    return path


def write_session(root: Path, name: str, shift: int = 0, axes: str = "LPS") -> Path:
    """`NAME_ct.nii.gz` and `NAME_pet.nii.gz`, the PET stored along axes of its own."""
    hu = body_hu()
    write_volume(root / f"{name}_ct.nii.gz", hu)
    write_volume(root / f"{name}_pet.nii.gz", body_suv(hu, shift), axes)
    return root
