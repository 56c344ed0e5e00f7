"""Files of values in a unit, as other programs write them."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK
import tifffile
from dicom_slices import dicom_slice
from numpy.typing import NDArray

from dfsynth.records import IntensityRange

PER_METRE = IntensityRange(0.0, 1.0, "1/m")
HOUNSFIELD = IntensityRange(-1000.0, 1000.0, "HU")


def slice_values(seed: int = 0, height: int = 24, width: int = 20) -> NDArray[np.float32]:
    """(y, x) in 1/m: lung among noise that goes below 0."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    lung = np.where(rows**2 + columns**2 < 0.5, 2.5, 0.0)
    return (lung + rng.normal(0, 0.4, lung.shape)).astype(np.float32)


def numpy_bytes(values: NDArray[Any], allow_pickle: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, values, allow_pickle=allow_pickle)
    return file.getvalue()


def tiff_bytes(values: NDArray[Any], **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def write_nifti(path: Path, values: NDArray[Any], pixel_mm: float = 1.5) -> Path:
    """(z, y, x) or (y, x), as .nii or .nii.gz, the third axis towards the head."""
    image = SimpleITK.GetImageFromArray(values)
    image.SetSpacing((pixel_mm,) * values.ndim)
    SimpleITK.WriteImage(image, str(path))
    return path


def ct_bytes(section: NDArray[np.int16], **elements: Any) -> bytes:
    """A CT slice (y, x) in HU, stored without sign behind an intercept of -1024."""
    data_set = dicom_slice(section, 0.0, "1.2.3")
    for name, value in elements.items():
        if value is None:
            delattr(data_set, name)
        else:
            setattr(data_set, name, value)
    file = io.BytesIO()
    data_set.save_as(file, enforce_file_format=True)
    return file.getvalue()
