"""DICOM elements → typed facts about the pixels, from an allow-list of tags."""

import math
from dataclasses import dataclass
from typing import Final

from dfsynth.counted_nouns import counted
from dfsynth.decode import dicom_tags as tags
from dfsynth.decode.dicom_file import DataSet
from dfsynth.decode.failures import corrupt_dicom, unsupported_dicom
from dfsynth.errors import ErrorCode, ImageError

GREY: Final = ("MONOCHROME1", "MONOCHROME2")
COLOUR: Final = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
PALETTE: Final = "PALETTE COLOR"


@dataclass(frozen=True, slots=True)
class PixelDescription:
    """The image pixel module."""

    rows: int
    columns: int
    samples: int
    allocated: int
    """Bits a sample takes in native data: 8 or 16."""
    stored: int
    """Bits of it that are the value."""
    high_bit: int
    signed: bool
    photometric: str
    planar: bool
    """Each colour in a plane of its own."""


def text(data_set: DataSet, tag: int) -> str:
    """The first text without padding; empty where there is none."""
    values = data_set.values.get(tag)
    return str(values[0]).strip("\0 ") if values else ""


def decimals(data_set: DataSet, tag: int, count: int) -> tuple[float, ...]:
    """The first `count` numbers of an element, or as many as there are; what follows may be none.

    Raises:
        ImageError: `corrupt` if they are no numbers.
    """
    try:
        return tuple(float(value) for value in data_set.values.get(tag, ())[:count])
    except ValueError as error:
        raise _no_number(tag) from error


def number_or_none(data_set: DataSet, tag: int) -> float | None:
    """The first number of an element that the pixels are sound without; null where it is none."""
    try:
        return next(iter(decimals(data_set, tag, 1)), None)
    except ImageError:
        return None


def integers(data_set: DataSet, tag: int) -> tuple[int, ...]:
    """The integers of an element; empty where there are none.

    Raises:
        ImageError: `corrupt` if they are no integers.
    """
    values = data_set.values.get(tag, ())
    found = tuple(value for value in values if isinstance(value, int))
    if len(found) < len(values):
        raise _no_number(tag)
    return found


def _no_number(tag: int) -> ImageError:
    return corrupt_dicom(f"has no number in element {tag >> 16:04X},{tag & 0xFFFF:04X}")


def describe_pixels(data_set: DataSet) -> PixelDescription:
    """The image pixel module, checked against what can be decoded.

    Raises:
        ImageError: no_pixels, multi_frame, unsupported_format, corrupt.
    """
    _check_one_image(data_set)
    stored = _one(data_set, tags.STORED, _one(data_set, tags.ALLOCATED))
    description = PixelDescription(
        rows=_one(data_set, tags.IMAGE_ROWS),
        columns=_one(data_set, tags.IMAGE_COLUMNS),
        samples=_one(data_set, tags.SAMPLES, 1),
        allocated=_one(data_set, tags.ALLOCATED),
        stored=stored,
        high_bit=_one(data_set, tags.HIGH_BIT, stored - 1),
        signed=_one(data_set, tags.SIGNED, 0) == 1,
        photometric=text(data_set, tags.PHOTOMETRIC),
        planar=_one(data_set, tags.PLANAR, 0) == 1,
    )
    _check_description(description)
    return description


def pixel_pitch_mm(data_set: DataSet) -> float | None:
    """The pixel pitch in the detector's plane, geometric mean of both axes.

    The detector's plane, because every corpus can state it: Imager Pixel Spacing lies in it by
    definition and comes first. Pixel Spacing is the same where it was not calibrated; calibrated
    to the patient, it is taken back to the detector with the estimated magnification. Nominal
    Scanned Pixel Spacing, of digitised film, comes last.
    """
    pitch = _spacing(data_set, tags.IMAGER_SPACING)
    if pitch is None:
        pitch = _spacing(data_set, tags.PIXEL_SPACING)
        if pitch is not None and text(data_set, tags.CALIBRATION):
            pitch *= _positive(data_set, tags.MAGNIFICATION, 1) or 1.0
    return _spacing(data_set, tags.SCANNED_SPACING) if pitch is None else pitch


def _spacing(data_set: DataSet, tag: int) -> float | None:
    return _positive(data_set, tag, 2)


def _positive(data_set: DataSet, tag: int, count: int) -> float | None:
    """Geometric mean of the first `count` numbers; null unless all are there and positive."""
    try:
        numbers = decimals(data_set, tag, count)
    except ImageError:
        return None
    if len(numbers) < count or not all(math.isfinite(n) and 0 < n < 1e6 for n in numbers):
        return None
    return float(math.prod(numbers) ** (1 / count))


def _one(data_set: DataSet, tag: int, default: int | None = None) -> int:
    values = integers(data_set, tag)
    if values:
        return values[0]
    if default is None:
        raise corrupt_dicom(f"lacks the required element {tag >> 16:04X},{tag & 0xFFFF:04X}")
    return default


def _check_one_image(data_set: DataSet) -> None:
    if any(tag in data_set.arrays for tag in tags.FLOAT_PIXELS):
        raise unsupported_dicom("floating-point pixels")
    if tags.PIXEL_DATA not in data_set.arrays:
        raise ImageError(
            ErrorCode.NO_PIXELS,
            "the DICOM file has no pixel data; a radiograph was expected; leave it out of the "
            "source",
        )
    frames = decimals(data_set, tags.FRAMES, 1)
    if frames and frames[0] > 1:
        raise ImageError(
            ErrorCode.MULTI_FRAME,
            f"the DICOM file has {frames[0]:.0f} frames; one radiograph was expected; save the "
            "frames as files of their own",
        )


def _check_description(found: PixelDescription) -> None:
    colours = {**dict.fromkeys(GREY, 1), PALETTE: 1, **dict.fromkeys(COLOUR, 3)}
    if found.photometric not in colours:
        raise unsupported_dicom("a photometric interpretation other than grey, palette, RGB or YBR")
    if found.samples != colours[found.photometric]:
        raise corrupt_dicom(
            f"has {counted(found.samples, 'sample')} a pixel, which its photometric contradicts"
        )
    if found.allocated not in (8, 16):
        raise unsupported_dicom(f"{found.allocated} bits allocated a sample")
    if not 2 <= found.stored <= found.allocated:
        raise corrupt_dicom(f"stores {found.stored} bits of {found.allocated} allocated ones")
    if not found.stored - 1 <= found.high_bit < found.allocated:
        raise corrupt_dicom(f"has high bit {found.high_bit} for {found.stored} stored bits")
