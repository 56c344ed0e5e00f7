"""Bytes → a volume in the patient's axes, or one sentence why not."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.counted_nouns import counted
from dfsynth.errors import ErrorCode
from dfsynth.extras import load_extra
from dfsynth.files.nifti_header import NiftiHeader
from dfsynth.simulation.volumes.candidate import VolumeCandidate, VolumeFormat, refusal
from dfsynth.simulation.volumes.detached import find_data_name, names_a_neighbour
from dfsynth.simulation.volumes.limits import VolumeLimits
from dfsynth.simulation.volumes.modality import Modality
from dfsynth.simulation.volumes.nifti import read_nifti_header, read_nifti_values
from dfsynth.simulation.volumes.slices import check_pixels, stack_slices

_BYTES_AT_ONCE: Final = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class OrientedVolume:
    """The values of a volume in the axes that were asked for."""

    values: NDArray[Any]
    """(planes, rows, columns), in the unit of the file."""
    spacing_mm: tuple[float, float, float]
    """Between planes, rows, columns."""
    to_patient_mm: NDArray[np.float64]
    """(3, 4): place in the patient in mm, in LPS, of (plane, row, column, 1)."""
    sha256: str
    """Of the file; of several, of their sums: DICOM slices by name, a header before its data."""


def read_oriented(
    candidate: VolumeCandidate, modality: Modality, limits: VolumeLimits, axes: str
) -> OrientedVolume:
    """Reads one volume and turns it into the patient's axes.

    Args:
        candidate: its files.
        modality: what DICOM slices must be of.
        limits: what is let in.
        axes: where columns, rows and planes grow to, such as "LPS" for transverse planes from the
            feet up, seen from the feet: left, posterior, superior.

    Raises:
        ImageError: the file is damaged, too large, tilted, oblique or of more than three axes; its
            text names the volume and says why.
        UsageError: SimpleITK is not installed.
    """
    sitk = load_extra("SimpleITK", f"reading {modality.name} volumes", "simulate")
    # The library would write its warnings straight to the terminal.
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    if candidate.format is VolumeFormat.DICOM:
        image, sha256 = _read_series(sitk, candidate, modality, limits)
    else:
        image, sha256 = _read_file(sitk, candidate, limits)
    _check_directions(candidate.key, image, limits)
    turned = sitk.DICOMOrient(image, axes)
    columns_mm, rows_mm, planes_mm = map(float, turned.GetSpacing())
    return OrientedVolume(
        values=sitk.GetArrayFromImage(turned),
        spacing_mm=(planes_mm, rows_mm, columns_mm),
        to_patient_mm=_to_patient_mm(turned),
        sha256=sha256,
    )


def _to_patient_mm(image: Any) -> NDArray[np.float64]:
    steps = np.reshape(image.GetDirection(), (3, 3)) * np.array(image.GetSpacing())
    return np.column_stack([steps[:, ::-1], image.GetOrigin()])


def _read_file(sitk: Any, candidate: VolumeCandidate, limits: VolumeLimits) -> tuple[Any, str]:
    path, key = candidate.files[0], candidate.key
    data = _find_data(candidate)
    header = read_nifti_header(key, path) if candidate.format is VolumeFormat.NIFTI else None
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
                f"it is {' x '.join(map(str, size))} with {counted(_components(reader), 'value')} "
                "a voxel; expected three axes, two planes or more along each, and one value",
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
    image.SetOrigin(reader.GetOrigin()[:3])
    image.SetDirection(np.reshape(reader.GetDirection(), (axes, axes))[:3, :3].ravel().tolist())
    return image


def _read_series(
    sitk: Any, candidate: VolumeCandidate, modality: Modality, limits: VolumeLimits
) -> tuple[Any, str]:
    key = candidate.key
    stack = stack_slices(key, candidate.files, modality, limits)
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
    image.SetOrigin(stack.origin_mm)
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


def _find_data(candidate: VolumeCandidate) -> Path | None:
    """The file of the voxels, if not the header's own; a header must not lead out of its folder."""
    path = candidate.files[0]
    name = None if candidate.format is VolumeFormat.NIFTI else find_data_name(path)
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


def _check_voxels(key: str, size: tuple[int, ...], limits: VolumeLimits) -> None:
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


def _check_directions(key: str, image: Any, limits: VolumeLimits) -> None:
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
