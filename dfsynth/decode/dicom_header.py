"""DICOM elements → typed facts about the pixels, from an allow-list of tags."""

import math
import struct
from dataclasses import dataclass
from typing import Final

from dfsynth.decode.dicom_elements import PIXEL_DATA, DataSet, corrupt
from dfsynth.errors import ErrorCode, ImageError

MODALITY_LUT: Final = 0x00283000
VOI_LUT: Final = 0x00283010
RESCALE_INTERCEPT: Final = 0x00281052
RESCALE_SLOPE: Final = 0x00281053
WINDOW_CENTER: Final = 0x00281050
WINDOW_WIDTH: Final = 0x00281051
WINDOW_FUNCTION: Final = 0x00281056
PADDING: Final = 0x00280120
PADDING_LIMIT: Final = 0x00280121
PALETTE_DESCRIPTORS: Final = (0x00281101, 0x00281102, 0x00281103)
PALETTE_DATA: Final = (0x00281201, 0x00281202, 0x00281203)
PRESENTATION_SHAPE: Final = 0x20500020
FLOAT_PIXELS: Final = (0x7FE00008, 0x7FE00009)

_SAMPLES, _PHOTOMETRIC, _PLANAR, _FRAMES = 0x00280002, 0x00280004, 0x00280006, 0x00280008
_ROWS, _COLUMNS = 0x00280010, 0x00280011
_ALLOCATED, _STORED, _HIGH_BIT, _SIGNED = 0x00280100, 0x00280101, 0x00280102, 0x00280103
_PIXEL_SPACING, _CALIBRATION = 0x00280030, 0x00280A02
_MAGNIFICATION, _IMAGER_SPACING, _SCANNED_SPACING = 0x00181114, 0x00181164, 0x00182010

WANTED: Final = frozenset(
    {
        *(MODALITY_LUT, VOI_LUT, RESCALE_INTERCEPT, RESCALE_SLOPE, WINDOW_CENTER, WINDOW_WIDTH),
        *(WINDOW_FUNCTION, PADDING, PADDING_LIMIT, PRESENTATION_SHAPE, PIXEL_DATA),
        *(*PALETTE_DESCRIPTORS, *PALETTE_DATA, *FLOAT_PIXELS),
        *(_SAMPLES, _PHOTOMETRIC, _PLANAR, _FRAMES, _ROWS, _COLUMNS),
        *(_ALLOCATED, _STORED, _HIGH_BIT, _SIGNED),
        *(_PIXEL_SPACING, _CALIBRATION, _MAGNIFICATION, _IMAGER_SPACING, _SCANNED_SPACING),
    }
)
"""Every element that is ever read; none of them tells who the patient is."""

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
    """A text value without padding; empty where there is none."""
    element = data_set.elements.get(tag)
    return "" if element is None else element.value.decode("ascii", "replace").strip("\0 ")


def decimals(data_set: DataSet, tag: int) -> tuple[float, ...]:
    """The numbers of a decimal or integer string; empty where there are none.

    Raises:
        ImageError: `corrupt` if they are no numbers.
    """
    words = text(data_set, tag)
    if not words:
        return ()
    try:
        return tuple(float(word) for word in words.split("\\"))
    except ValueError as error:
        raise corrupt(f"has no number in element {tag >> 16:04X},{tag & 0xFFFF:04X}") from error


def integers(data_set: DataSet, tag: int, signed: bool = False) -> tuple[int, ...]:
    """The 16-bit integers of an element; empty where it is missing."""
    element = data_set.elements.get(tag)
    if element is None:
        return ()
    is_signed = element.vr == "SS" or (signed and element.vr not in ("US", "OW"))
    count = len(element.value) // 2
    layout = f"{data_set.encoding.order}{count}{'h' if is_signed else 'H'}"
    return struct.unpack_from(layout, element.value)


def describe_pixels(data_set: DataSet) -> PixelDescription:
    """The image pixel module, checked against what can be decoded.

    Raises:
        ImageError: no_pixels, multi_frame, unsupported_format, corrupt.
    """
    _check_one_picture(data_set)
    stored = _one(data_set, _STORED, _one(data_set, _ALLOCATED))
    description = PixelDescription(
        rows=_one(data_set, _ROWS),
        columns=_one(data_set, _COLUMNS),
        samples=_one(data_set, _SAMPLES, 1),
        allocated=_one(data_set, _ALLOCATED),
        stored=stored,
        high_bit=_one(data_set, _HIGH_BIT, stored - 1),
        signed=_one(data_set, _SIGNED, 0) == 1,
        photometric=text(data_set, _PHOTOMETRIC),
        planar=_one(data_set, _PLANAR, 0) == 1,
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
    pitch = _spacing(data_set, _IMAGER_SPACING)
    if pitch is None:
        pitch = _spacing(data_set, _PIXEL_SPACING)
        if pitch is not None and text(data_set, _CALIBRATION):
            pitch *= _positive(data_set, _MAGNIFICATION, 1) or 1.0
    return _spacing(data_set, _SCANNED_SPACING) if pitch is None else pitch


def _spacing(data_set: DataSet, tag: int) -> float | None:
    return _positive(data_set, tag, 2)


def _positive(data_set: DataSet, tag: int, count: int) -> float | None:
    """Geometric mean of the first `count` numbers; null unless all are there and positive."""
    try:
        numbers = decimals(data_set, tag)[:count]
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
        raise corrupt(f"lacks the required element {tag >> 16:04X},{tag & 0xFFFF:04X}")
    return default


def _check_one_picture(data_set: DataSet) -> None:
    if any(tag in data_set.elements for tag in FLOAT_PIXELS):
        raise _unsupported("floating-point pixels")
    if not data_set.elements.get(PIXEL_DATA):
        raise ImageError(
            ErrorCode.NO_PIXELS,
            "the DICOM file has no pixel data; a radiograph was expected; leave it out of the "
            "source",
        )
    frames = decimals(data_set, _FRAMES)
    if frames and frames[0] > 1:
        raise ImageError(
            ErrorCode.MULTI_FRAME,
            f"the DICOM file has {frames[0]:.0f} frames; one radiograph was expected; save the "
            "frames as files of their own",
        )


def _check_description(found: PixelDescription) -> None:
    colours = {**dict.fromkeys(GREY, 1), PALETTE: 1, **dict.fromkeys(COLOUR, 3)}
    if found.photometric not in colours:
        raise _unsupported("a photometric interpretation other than grey, palette, RGB or YBR")
    if found.samples != colours[found.photometric]:
        raise corrupt(f"has {found.samples} samples a pixel, which its photometric contradicts")
    if found.allocated not in (8, 16):
        raise _unsupported(f"{found.allocated} bits allocated a sample")
    if not 2 <= found.stored <= found.allocated:
        raise corrupt(f"stores {found.stored} bits of {found.allocated} allocated ones")
    if not found.stored - 1 <= found.high_bit < found.allocated:
        raise corrupt(f"has high bit {found.high_bit} for {found.stored} stored bits")


def _unsupported(found: str) -> ImageError:
    return ImageError(
        ErrorCode.UNSUPPORTED_FORMAT,
        f"the DICOM file has {found}; integer pixels of 8 or 16 bits in grey, palette, RGB or "
        "YBR were expected; convert it",
    )
