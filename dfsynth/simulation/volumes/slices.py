"""The DICOM slices of one series: their headers, their order, and whether they make a volume.

Of a header only what geometry and the meaning of the values need is looked at; and who the patient
is, as a digest, so that series of one patient are told from those of others.
"""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.filereader import read_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian

from dfsynth.counted_nouns import counted
from dfsynth.decode.dicom_file import PYDICOM_ERRORS, require_inflatable
from dfsynth.errors import ErrorCode, ImageError
from dfsynth.simulation.volumes.candidate import refusal
from dfsynth.simulation.volumes.limits import VolumeLimits
from dfsynth.simulation.volumes.modality import Modality
from dfsynth.source.dicom_patient import PATIENT_TAGS, digest_patient

_TAGS = [
    "SOPClassUID",
    "Modality",
    "ImageType",
    "SeriesInstanceUID",
    "SeriesNumber",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "PixelSpacing",
    "SliceThickness",
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "GantryDetectorTilt",
    "RescaleSlope",
    "RescaleIntercept",
]
_MOST_SLICE_BYTES = 1 << 26
"""Of a deflated slice, inflated: 32 times as large as most are."""


@dataclass(frozen=True, slots=True)
class SliceHeader:
    """What one slice says of itself; None where it does not."""

    series_uid: str
    series_number: int
    size: tuple[int, int]
    frames: int
    pixel_mm: tuple[float, float] | None
    """Between rows, between columns."""
    thickness_mm: float | None
    orientation: tuple[float, ...] | None
    """Direction of a row, then of a column, in LPS."""
    position_mm: tuple[float, float, float] | None
    tilt_deg: float
    rescaled: bool
    patient: str | None
    """A digest that slices of one patient share, for comparing alone: it is never told."""


@dataclass(frozen=True, slots=True)
class SliceStack:
    """Slices in order along their normal."""

    files: tuple[Path, ...]
    size: tuple[int, int]
    """Rows, columns."""
    spacing_mm: tuple[float, float, float]
    """Between columns, rows, slices."""
    direction: tuple[float, ...]
    """Columns of the direction matrix: along a row, down a column, along the slices, in LPS."""
    origin_mm: tuple[float, ...]
    """Place of the first pixel of the first slice, in LPS."""


def read_slice_header(path: Path, modality: Modality) -> SliceHeader | str:
    """The header of a slice of a modality, or why the file is none."""
    try:
        _check_inflation(path)
        dataset = pydicom.dcmread(
            path, stop_before_pixels=True, specific_tags=[*_TAGS, *PATIENT_TAGS]
        )
        kind = [str(part).upper() for part in dataset.get("ImageType", [])]
        if dataset.get("Modality") != modality.dicom:
            found = f"{dataset.get('Modality', 'not stated')!s:.16}"
            return f"modality {found}, not {modality.dicom}"
        if "LOCALIZER" in kind or "SCOUT" in kind:
            return "a localizer"
        if str(dataset.get("SOPClassUID", modality.sop_class)) != modality.sop_class:
            return (
                f"no plain {modality.name} slice (a secondary capture, a report or an enhanced "
                "object)"
            )
        return _header(dataset)
    except ImageError as error:
        return f"not read: {error}"
    except PYDICOM_ERRORS as error:
        return f"not readable as DICOM ({type(error).__name__})"


def _check_inflation(path: Path) -> None:
    """pydicom inflates without a limit, even if only the first elements are asked for."""
    if read_file_meta_info(path).get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        with path.open("rb") as file:
            require_inflatable(file.read(_MOST_SLICE_BYTES), _MOST_SLICE_BYTES)


def _header(dataset: pydicom.Dataset) -> SliceHeader:
    spacing, position = dataset.get("PixelSpacing"), dataset.get("ImagePositionPatient")
    orientation = dataset.get("ImageOrientationPatient")
    thickness = dataset.get("SliceThickness")
    return SliceHeader(
        series_uid=str(dataset.get("SeriesInstanceUID", "")),
        series_number=int(dataset.get("SeriesNumber") or 0),
        size=(int(dataset.Rows), int(dataset.Columns)),
        frames=int(dataset.get("NumberOfFrames") or 1),
        pixel_mm=(float(spacing[0]), float(spacing[1])) if spacing else None,
        thickness_mm=float(thickness) if thickness else None,
        orientation=tuple(float(v) for v in orientation) if orientation else None,
        position_mm=(float(position[0]), float(position[1]), float(position[2]))
        if position
        else None,
        tilt_deg=float(dataset.get("GantryDetectorTilt") or 0),
        rescaled="RescaleSlope" in dataset and "RescaleIntercept" in dataset,
        patient=digest_patient(dataset),
    )


def stack_slices(
    key: str, files: tuple[Path, ...], modality: Modality, limits: VolumeLimits
) -> SliceStack:
    """Puts the slices of one series in order, or says why they make no volume.

    Raises:
        ImageError: slices differ in size, spacing or orientation, are missing, doubled or
            uneven, are tilted, or hold values that mean nothing as they are.
    """
    headers = []
    for path in files:
        header = read_slice_header(path, modality)
        if isinstance(header, str):
            raise refusal(ErrorCode.CORRUPT, key, f"the slice {path.name} is {header}")
        headers.append(header)
    first = headers[0]
    _check_sameness(key, headers, modality)
    if first.orientation is None or first.pixel_mm is None:
        raise refusal(ErrorCode.UNSUPPORTED_FORMAT, key, "its slices state no place in space")
    along_row = np.array(first.orientation[:3])
    along_column = np.array(first.orientation[3:])
    normal = np.cross(along_row, along_column)
    positions = np.array([h.position_mm for h in headers], dtype=np.float64)
    depth = positions @ normal
    order = np.argsort(depth, kind="stable")
    step_mm = _even_step(key, depth[order], limits)
    tilt_deg = _tilt_deg(positions[order], normal, along_row, along_column)
    stated_deg = max(abs(h.tilt_deg) for h in headers)
    if max(tilt_deg, stated_deg) > limits.tilt_tolerance_deg:
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            f"its gantry was tilted by {max(tilt_deg, stated_deg):.1f} degrees; straighten the "
            "volume first",
        )
    thickness = max((h.thickness_mm or 0.0) for h in headers)
    if thickness > limits.thickest_slice_mm:
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            f"its slices are {thickness:g} mm thick; at most {limits.thickest_slice_mm:g} mm",
        )
    return SliceStack(
        files=tuple(files[i] for i in order),
        size=first.size,
        spacing_mm=(first.pixel_mm[1], first.pixel_mm[0], step_mm),
        direction=tuple(np.stack([along_row, along_column, normal], axis=1).ravel().tolist()),
        origin_mm=tuple(positions[order[0]].tolist()),
    )


def check_pixels(key: str, path: Path, content: bytes) -> None:
    """Refuses a slice whose pixel data are missing or cut short.

    Raises:
        ImageError: naming the slice.
    """
    try:
        dataset = pydicom.dcmread(BytesIO(content))
        pixels = dataset.get("PixelData")
        expected = int(dataset.Rows) * int(dataset.Columns) * (int(dataset.BitsAllocated) // 8)
        compressed = dataset.file_meta.TransferSyntaxUID.is_compressed
    except PYDICOM_ERRORS as error:
        raise refusal(
            ErrorCode.TRUNCATED, key, f"the slice {path.name} is damaged ({type(error).__name__})"
        ) from error
    if not pixels or (not compressed and len(pixels) < expected):
        raise refusal(
            ErrorCode.TRUNCATED,
            key,
            f"the slice {path.name} holds {len(pixels or b'')} of {expected} bytes of pixels",
        )


def _check_sameness(key: str, headers: list[SliceHeader], modality: Modality) -> None:
    first = headers[0]
    if any(h.frames > 1 for h in headers):
        raise refusal(ErrorCode.MULTI_FRAME, key, "its files hold several frames each")
    if modality.rescaled and not all(h.rescaled for h in headers):
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            "its slices lack the rescale slope or intercept, so their values are not HU",
        )
    for name, values in (
        ("size", {h.size for h in headers}),
        ("pixel spacing", {h.pixel_mm for h in headers}),
        ("orientation", {_rounded(h.orientation) for h in headers}),
    ):
        if len(values) > 1:
            raise refusal(
                ErrorCode.UNSUPPORTED_FORMAT,
                key,
                f"its slices differ in {name}: {', '.join(sorted(map(str, values))[:2])}",
            )
    if any(h.position_mm is None for h in headers) or first.orientation is None:
        raise refusal(ErrorCode.UNSUPPORTED_FORMAT, key, "its slices state no place in space")


def _rounded(values: tuple[float, ...] | None) -> tuple[float, ...] | None:
    return None if values is None else tuple(round(v, 3) + 0.0 for v in values)


def _even_step(key: str, depth: NDArray[np.float64], limits: VolumeLimits) -> float:
    """Distance between neighbouring slices in mm; they must be evenly spaced."""
    if len(depth) < limits.fewest_slices:
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            f"it has {counted(len(depth), 'slice')}; at least {limits.fewest_slices} are needed",
        )
    steps = np.diff(depth)
    step = float(np.median(steps))
    if steps.min() < 0.01:
        raise refusal(ErrorCode.UNSUPPORTED_FORMAT, key, "two of its slices lie at one place")
    if np.abs(steps - step).max() > max(limits.spacing_tolerance * step, 0.05):
        at = int(np.abs(steps - step).argmax())
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            f"its slices are unevenly spaced or missing: {steps[at]:.2f} mm between slices "
            f"{at + 1} and {at + 2}, {step:.2f} mm elsewhere",
        )
    return step


def _tilt_deg(
    positions: NDArray[np.float64],
    normal: NDArray[np.float64],
    along_row: NDArray[np.float64],
    along_column: NDArray[np.float64],
) -> float:
    """How far the slices lean against the line on which they are stacked, in degrees."""
    line = positions[-1] - positions[0]
    lean = np.degrees(np.arccos(np.clip(line @ normal / np.linalg.norm(line), -1, 1)))
    skew = np.degrees(np.arcsin(np.clip(abs(along_row @ along_column), 0, 1)))
    return float(max(lean, skew))
