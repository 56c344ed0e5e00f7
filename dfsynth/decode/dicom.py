"""DICOM → image."""

from collections.abc import Callable
from typing import cast

import numpy as np
from numpy.typing import NDArray

from dfsynth.decode import dicom_tags as tags
from dfsynth.decode.dicom_file import DataSet, parse_data_set
from dfsynth.decode.dicom_frame import Stored, stored_values
from dfsynth.decode.dicom_header import (
    COLOUR,
    PALETTE,
    PixelDescription,
    describe_pixels,
    integers,
    pixel_pitch_mm,
    text,
)
from dfsynth.decode.dicom_values import (
    GreyValues,
    LookUpTable,
    natural_range,
    table,
    to_display,
    to_modality,
)
from dfsynth.decode.failures import corrupt_dicom, unsupported_dicom
from dfsynth.decode.grey import GreyPixels, to_grey
from dfsynth.decode.limits import DecodeLimits
from dfsynth.records import DecodedImage, Float32Map


def read_dicom(data: bytes, limits: DecodeLimits) -> DecodedImage:
    """Decodes a DICOM file of one frame, of any modality.

    Grey goes through modality and VOI transformation; without any, it stays in the integers of
    the file and `high` comes from the bits stored. Dense is bright: MONOCHROME1 and presentation
    LUT shape INVERSE each say that the image is shown inverted; the standard has both together,
    so it is inverted once. Pixels of the padding value become `low`.

    Raises:
        ImageError: no_pixels, multi_frame, unsupported_transfer_syntax, unsupported_format,
            truncated, corrupt, too_large.
    """
    return _read(data, limits, to_display)


def read_dicom_values(data: bytes, limits: DecodeLimits) -> DecodedImage:
    """Decodes a DICOM file of measured values: as `read_dicom`, without the VOI transformation.

    Raises:
        ImageError: as `read_dicom`; unsupported_format for signed integers without a rescaling.
    """
    return _read(data, limits, _as_measured)


def _as_measured(modality: GreyValues, _: DataSet) -> GreyValues:
    if modality.values.dtype == np.int16:
        # As floating-point numbers they would be taken for the values themselves.
        raise unsupported_dicom("signed integers without a rescaling to what they stand for")
    return modality


def _read(
    data: bytes, limits: DecodeLimits, to_shown: Callable[[GreyValues, DataSet], GreyValues]
) -> DecodedImage:
    data_set = parse_data_set(data, limits.max_bytes)
    pixels = describe_pixels(data_set)
    stored = stored_values(data_set, pixels, limits)
    if pixels.photometric in COLOUR:
        grey = GreyValues(_luma(stored, pixels), *natural_range(pixels.stored, signed=False))
    elif pixels.photometric == PALETTE:
        grey = _palette_luma(stored, data_set)
    else:
        grey = _radiograph(stored, pixels, data_set, to_shown)
    values = grey.values
    if values.dtype not in (np.uint8, np.uint16):
        values = values.astype(np.float32, copy=False)
    image = cast(GreyPixels | Float32Map, np.ascontiguousarray(values))
    return DecodedImage(
        pixels=image,
        low=grey.low,
        high=grey.high,
        bits=pixels.stored,
        photometric=pixels.photometric,
        pixel_mm=pixel_pitch_mm(data_set),
    )


def _radiograph(
    stored: Stored,
    pixels: PixelDescription,
    data_set: DataSet,
    to_shown: Callable[[GreyValues, DataSet], GreyValues],
) -> GreyValues:
    signed = stored.dtype.kind == "i"
    padding = padding_mask(stored, data_set)
    natural = GreyValues(stored, *natural_range(pixels.stored, signed))
    shown = to_shown(to_modality(natural, data_set, signed), data_set)
    values = shown.values
    if pixels.photometric == "MONOCHROME1" or text(data_set, tags.PRESENTATION_SHAPE) == "INVERSE":
        values = _inverted(shown)
    if padding is not None:
        values = np.where(padding, values.dtype.type(shown.low), values)
    return GreyValues(values, shown.low, shown.high)


def _inverted(shown: GreyValues) -> NDArray[np.uint16] | NDArray[np.float32]:
    values = shown.values
    if values.dtype in (np.uint8, np.uint16):
        return np.subtract(values.dtype.type(shown.high), values)
    return np.subtract(np.float32(shown.low + shown.high), values, dtype=np.float32)


def padding_mask(stored: Stored, data_set: DataSet) -> NDArray[np.bool_] | None:
    """Where an image (y, x) holds padding, as (y, x); null where it has none."""
    value = integers(data_set, tags.PADDING)
    if not value:
        return None
    limit = integers(data_set, tags.PADDING_LIMIT) or value
    low, high = sorted(_signed_like(stored, end[0]) for end in (value, limit))
    mask = (stored >= low) & (stored <= high)
    return mask if mask.any() else None


def _signed_like(stored: Stored, value: int) -> int:
    """A value of 16 bits with the sign of the pixels, which some writers leave out or put in.

    PS3.3 C.7.5.1.1.2: it has the sign of Pixel Representation, whatever its own type says.
    """
    bits = value & 0xFFFF
    return bits - 0x10000 if stored.dtype.kind == "i" and bits > 0x7FFF else bits


def _luma(stored: Stored, pixels: PixelDescription) -> GreyPixels:
    """Of colour: the luma that the JPEG decoder gave, the Y channel, or the luma of RGB."""
    kind = np.uint8 if pixels.allocated == 8 else np.uint16
    values = cast(GreyPixels, stored.astype(kind, copy=False))
    if values.ndim == 3 and pixels.photometric.startswith("YBR_FULL"):
        return to_grey(values[..., :1])
    return to_grey(values)


def _palette_luma(stored: Stored, data_set: DataSet) -> GreyValues:
    palette = [
        table(data_set, descriptor, entries, signed=False)
        for descriptor, entries in zip(tags.PALETTE_DESCRIPTORS, tags.PALETTE_DATA, strict=True)
    ]
    found: list[LookUpTable] = [lut for lut in palette if lut is not None]
    if len(found) != 3 or len({(lut.first, lut.bits, len(lut.entries)) for lut in found}) != 1:
        raise corrupt_dicom("has a palette without three equal look-up tables")
    colours = np.stack([lut.entries for lut in found], axis=-1)
    luma = LookUpTable(found[0].first, found[0].bits, to_grey(colours[np.newaxis])[0])
    return GreyValues(luma.apply(stored), 0.0, max(lut.high for lut in found))
