"""Bytes → a volume in Hounsfield units and in the patient's axes, or one sentence why not."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dfsynth.errors import ErrorCode
from dfsynth.extras import load_extra
from dfsynth.files.nifti_header import NiftiHeader
from dfsynth.simulation.ct.detached import find_data_name, names_a_neighbour
from dfsynth.simulation.ct.nifti import read_nifti_header, read_nifti_values
from dfsynth.simulation.ct.slices import check_pixels, stack_slices
from dfsynth.simulation.ct.volume import CtCandidate, CtFormat, CtLimits, CtVolume, refusal

_PATIENT_AXES = "LIA"
"""Columns grow to the left, rows to the feet, planes to the front."""
_BYTES_AT_ONCE = 1 << 20
_HU_RANGE = (-1024, 3071)


def read_volume(candidate: CtCandidate, limits: CtLimits) -> CtVolume:
    """Reads one volume and turns it into the patient's axes.

    Raises:
        ImageError: the file is damaged, too large, too coarse, tilted, or not in HU; its text
            names the volume and says why.
        UsageError: SimpleITK is not installed.
    """
    sitk = load_extra("SimpleITK", "reading CT volumes", "simulate")
    # The library would write its warnings straight to the terminal.
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    if candidate.format is CtFormat.DICOM:
        image, sha256 = _read_series(sitk, candidate, limits)
    else:
        image, sha256 = _read_file(sitk, candidate, limits)
    _check_directions(candidate.key, image, limits)
    turned = sitk.DICOMOrient(image, _PATIENT_AXES)
    values = sitk.GetArrayFromImage(turned)
    spacing_mm = tuple(float(v) for v in turned.GetSpacing()[::-1])
    _check_size(candidate.key, values.shape, spacing_mm, limits)
    return CtVolume(
        key=candidate.key,
        hu=_hounsfield(candidate.key, values),
        spacing_mm=(spacing_mm[0], spacing_mm[1], spacing_mm[2]),
        sha256=sha256,
        license=candidate.license,
    )


def _read_file(sitk: Any, candidate: CtCandidate, limits: CtLimits) -> tuple[Any, str]:
    path, key = candidate.files[0], candidate.key
    data = _find_data(candidate)
    header = read_nifti_header(key, path) if candidate.format is CtFormat.NIFTI else None
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        size = reader.GetSize()
        # What more axes there are have one place each.
        if min(size[:3]) < 2 or len([n for n in size if n > 1]) != 3 or _components(reader) != 1:
            raise refusal(
                ErrorCode.UNSUPPORTED_FORMAT,
                key,
                f"it is {' x '.join(map(str, size))} with {_components(reader)} values a voxel; "
                "expected three axes and one value",
            )
        _check_voxels(key, size, limits)
        image = reader.Execute() if header is None else _read_nifti(sitk, key, path, header, reader)
    except RuntimeError as error:
        raise _read_failure(key, error) from error
    if image.GetDimension() == 4:
        image = image[:, :, :, 0]
    return image, _sha256(path) if data is None else _sha256_of_all((path, data))


def _components(reader: Any) -> int:
    return int(reader.GetNumberOfComponents())


def _read_nifti(sitk: Any, key: str, path: Path, header: NiftiHeader, reader: Any) -> Any:
    """The values as the standard has them, in the geometry that SimpleITK has found."""
    image = sitk.GetImageFromArray(read_nifti_values(key, path, header))
    axes = len(reader.GetSize())
    image.SetSpacing(reader.GetSpacing()[:3])
    image.SetDirection(np.reshape(reader.GetDirection(), (axes, axes))[:3, :3].ravel().tolist())
    return image


def _read_series(sitk: Any, candidate: CtCandidate, limits: CtLimits) -> tuple[Any, str]:
    key = candidate.key
    stack = stack_slices(key, candidate.files, limits)
    digest = hashlib.sha256()
    for path in candidate.files:
        content = path.read_bytes()
        check_pixels(key, path, content)
        digest.update(hashlib.sha256(content).digest())
    _check_voxels(key, (*stack.size, len(stack.files)), limits)
    # One by one: read together, all would get the type of the first, which may know no sign.
    sections = [_read_section(sitk, key, path, stack.size) for path in stack.files]
    image = sitk.GetImageFromArray(np.stack(sections))
    image.SetSpacing(stack.spacing_mm)
    image.SetDirection(stack.direction)
    return image, digest.hexdigest()


def _read_section(sitk: Any, key: str, path: Path, size: tuple[int, int]) -> NDArray[Any]:
    """The rescaled values (rows, columns) of one slice."""
    try:
        values = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    except RuntimeError as error:
        raise _read_failure(key, error) from error
    if values.shape != (1, *size):
        raise refusal(
            ErrorCode.CORRUPT,
            key,
            f"the slice {path.name} holds {' x '.join(map(str, values.shape))} values where its "
            f"header says {size[0]} x {size[1]}",
        )
    return np.asarray(values[0])


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BYTES_AT_ONCE):
            digest.update(block)
    return digest.hexdigest()


def _sha256_of_all(paths: tuple[Path, ...]) -> str:
    sums = (bytes.fromhex(_sha256(path)) for path in paths)
    return hashlib.sha256(b"".join(sums)).hexdigest()


def _find_data(candidate: CtCandidate) -> Path | None:
    """The file of the voxels, if not the header's own; a header must not lead out of its folder."""
    path = candidate.files[0]
    name = None if candidate.format is CtFormat.NIFTI else find_data_name(path)
    if name is None:
        return None
    if not names_a_neighbour(name):
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            candidate.key,
            "its header names data outside its folder or a list of files; store the volume in "
            "one file",
        )
    if not (path.parent / name).is_file():
        raise refusal(ErrorCode.MISSING, candidate.key, f"its data file {name} is missing")
    return path.parent / name


def _check_voxels(key: str, size: tuple[int, ...], limits: CtLimits) -> None:
    voxels = int(np.prod([int(n) for n in size], dtype=object))
    if voxels > limits.most_voxels:
        raise refusal(
            ErrorCode.TOO_LARGE,
            key,
            f"it claims {' x '.join(map(str, size))} voxels; at most {limits.most_voxels:.2g} "
            "are read",
        )


def _read_failure(key: str, error: RuntimeError) -> Exception:
    text = str(error)
    if "rthonormal" in text or "irection" in text:
        return refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            "its axes are not at right angles (gantry tilt or shear); straighten the volume first",
        )
    return refusal(
        ErrorCode.CORRUPT, key, "it is damaged or cut short: the reader gave up on its bytes"
    )


def _check_directions(key: str, image: Any, limits: CtLimits) -> None:
    """The axes must be at right angles and within 30 degrees of the patient's."""
    matrix = np.array(image.GetDirection()).reshape(3, 3)
    skew = np.abs(matrix.T @ matrix - np.eye(3)).max()
    if np.degrees(np.arcsin(min(skew, 1.0))) > limits.tilt_tolerance_deg:
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            "its axes are not at right angles (gantry tilt or shear); straighten the volume first",
        )
    if np.abs(matrix).max(axis=0).min() < np.cos(np.radians(30)):
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            "its axes lie more than 30 degrees away from the patient's",
        )


def _check_size(
    key: str, shape: tuple[int, ...], spacing_mm: tuple[float, ...], limits: CtLimits
) -> None:
    rows, step_mm = shape[1], spacing_mm[1]
    if min(spacing_mm) < 0.1 or max(spacing_mm) > limits.thickest_slice_mm:
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            f"its voxels measure {' x '.join(f'{s:.3g}' for s in spacing_mm)} mm; expected 0.1 "
            f"to {limits.thickest_slice_mm:g} mm (thick slices blur the lung away)",
        )
    if rows < limits.fewest_slices or rows * step_mm < limits.least_height_mm:
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            f"it covers {rows * step_mm:.0f} mm of the body's length in {rows} slices; at least "
            f"{limits.least_height_mm:.0f} mm and {limits.fewest_slices} slices hold whole lungs",
        )


def _hounsfield(key: str, values: NDArray[Any]) -> NDArray[np.int16]:
    """The values as HU, if they can be: air near −1000 and soft tissue near 0."""
    if not np.issubdtype(values.dtype, np.number):
        raise refusal(ErrorCode.UNSUPPORTED_FORMAT, key, f"its values are {values.dtype}")
    if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
        raise refusal(ErrorCode.NON_FINITE, key, "some of its values are not finite")
    lowest, highest = float(values.min()), float(values.max())
    # Padding outside the field of view may lie far below any HU: it is no air that was measured.
    seen = values[:: max(1, values.shape[0] // 64), ::2, ::2]
    air = float(((seen >= _HU_RANGE[0]) & (seen < -700)).mean())
    tissue = float(((seen > -200) & (seen < 200)).mean())
    clipped = np.clip(values, *_HU_RANGE)
    if lowest > -500 or air < 0.02 or tissue < 0.02:
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            f"its values run from {lowest:g} to {highest:g} with {air:.0%} like air and "
            f"{tissue:.0%} like soft tissue, so they are not HU; store Hounsfield units (apply "
            "the rescale slope and intercept)",
        )
    return np.ascontiguousarray(np.rint(clipped) if clipped.dtype.kind == "f" else clipped).astype(
        np.int16
    )
