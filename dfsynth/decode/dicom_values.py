"""Stored values → grey values as a display shows them: modality, then VOI (DICOM PS3.3 C.11).

The formulas are computed here and not by `pydicom.pixels`, which takes float64 and several times
as long, and refuses windows and depths that radiographs have.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dfsynth.decode import dicom_tags as tags
from dfsynth.decode.dicom_file import DataSet
from dfsynth.decode.dicom_header import decimals, integers, number_or_none, text
from dfsynth.decode.failures import corrupt_dicom
from dfsynth.records import Float32Map


@dataclass(frozen=True, slots=True)
class GreyValues:
    """Values (y, x) and the range that they are meant to fill."""

    values: NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.int16] | Float32Map
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LookUpTable:
    """A DICOM look-up table."""

    first: int
    """The input that maps to the first entry; inputs beyond the ends take the end's entry."""
    bits: int
    """Of each entry, as the descriptor declares them."""
    entries: NDArray[np.uint16]

    @property
    def high(self) -> float:
        """The value that stands for the brightest grey.

        Some writers declare the 16 bits in which entries are stored, where the bits that are used
        belong (12, mostly): where no entry needs the sixteenth bit, the largest entry is the
        brightest, as other readers have it.
        """
        largest = int(self.entries.max())
        declared = (1 << self.bits) - 1
        return float(max(largest, 1) if self.bits == 16 and largest <= declared // 2 else declared)

    def apply(self, values: NDArray[np.integer] | Float32Map) -> NDArray[np.uint16]:
        """The entry of every value, same shape."""
        index = np.clip(np.asarray(values, np.float32) - self.first, 0, len(self.entries) - 1)
        return self.entries[np.rint(index, out=index).astype(np.uint16)]


def table(
    data_set: DataSet, descriptor_tag: int, data_tag: int, signed: bool
) -> LookUpTable | None:
    """A look-up table from its descriptor and data elements; null where one is missing.

    Raises:
        ImageError: `corrupt` if both do not fit.
    """
    descriptor, data = integers(data_set, descriptor_tag), data_set.arrays.get(data_tag)
    if not descriptor or data is None:
        return None
    if len(descriptor) != 3:
        raise corrupt_dicom("has a look-up table whose descriptor has not three numbers")
    count, first, bits = (descriptor[0] & 0xFFFF) or 65536, descriptor[1], descriptor[2] & 0xFFFF
    if signed and first > 0x7FFF:
        first -= 0x10000
    if len(data.value) < 2 * count and count <= len(data.value) <= count + 1:
        dtype: np.dtype[np.uint8 | np.uint16] = np.dtype(np.uint8)
    else:
        dtype = np.dtype(">u2" if data_set.big_endian else "<u2")
    if len(data.value) < count * dtype.itemsize or not 8 <= bits <= 16:
        raise corrupt_dicom("has a look-up table shorter than its descriptor says, or of odd depth")
    entries = np.frombuffer(data.value, dtype, count=count).astype(np.uint16)
    return LookUpTable(first, bits, entries)


def to_modality(stored: GreyValues, data_set: DataSet, signed: bool) -> GreyValues:
    """Applies the modality LUT or, without one, rescale slope and intercept.

    Without either, values pass as they are.

    Raises:
        ImageError: `corrupt` if they cannot be read.
    """
    lut = _sequence_table(data_set, tags.MODALITY_LUT, signed)
    if lut is not None:
        return GreyValues(lut.apply(stored.values), 0.0, lut.high)
    slope = (decimals(data_set, tags.RESCALE_SLOPE, 1) or (1.0,))[0]
    intercept = (decimals(data_set, tags.RESCALE_INTERCEPT, 1) or (0.0,))[0]
    if (slope, intercept) == (1.0, 0.0):
        return stored
    with np.errstate(all="ignore"):
        values = stored.values.astype(np.float32)
        values *= np.float32(slope)
        values += np.float32(intercept)
    ends = (stored.low * slope + intercept, stored.high * slope + intercept)
    return GreyValues(values, min(ends), max(ends))


def to_display(modality: GreyValues, data_set: DataSet) -> GreyValues:
    """Applies the VOI LUT or, without one, the first window; the result fills [0, 1] as float32.

    The LUT comes first: vendors put their full curve there, and a window only beside it. A window
    that is no number or of no width, or one that shows nothing of this image, is passed over: it
    says nothing about these values, which are sound without it.

    Raises:
        ImageError: `corrupt` if they cannot be read.
    """
    lut = _sequence_table(data_set, tags.VOI_LUT, modality.low < 0)
    if lut is not None:
        scaled = lut.apply(modality.values).astype(np.float32)
        scaled /= np.float32(lut.high)
        return GreyValues(np.minimum(scaled, 1.0, out=scaled), 0.0, 1.0)
    center = number_or_none(data_set, tags.WINDOW_CENTER)
    width = number_or_none(data_set, tags.WINDOW_WIDTH)
    if center is None or width is None:
        return modality
    shown = _window(modality.values, center, width, text(data_set, tags.WINDOW_FUNCTION))
    if shown is None or shown.min() == shown.max():
        return modality
    return GreyValues(shown, 0.0, 1.0)


def _window(
    values: NDArray[np.integer] | Float32Map, center: float, width: float, function: str
) -> Float32Map | None:
    """C.11.2.1.2 and C.11.2.1.3: [0, 1] float32, or null for a window without a width."""
    minimum = 0.0 if function in ("LINEAR_EXACT", "SIGMOID") else 1.0
    if not (np.isfinite(center) and np.isfinite(width) and width > minimum):
        return None
    if function == "SIGMOID":
        middle, span = center, width / 4
    elif function == "LINEAR_EXACT":
        middle, span = center, width
    else:
        middle, span = center - 0.5, width - 1
    with np.errstate(all="ignore"):
        shown = values.astype(np.float32)
        shown -= np.float32(middle)
        shown /= np.float32(span)
        if function == "SIGMOID":
            np.exp(np.negative(shown, out=shown), out=shown)
            shown += 1
            return np.reciprocal(shown, out=shown)
        shown += np.float32(0.5)
    return np.clip(shown, 0.0, 1.0, out=shown)


def _sequence_table(data_set: DataSet, tag: int, signed: bool) -> LookUpTable | None:
    item = data_set.first_items.get(tag)
    return None if item is None else table(item, tags.LUT_DESCRIPTOR, tags.LUT_DATA, signed)


def natural_range(stored_bits: int, signed: bool) -> tuple[float, float]:
    """The smallest and the largest value that so many bits can hold."""
    if signed:
        half = float(1 << (stored_bits - 1))
        return -half, half - 1
    return 0.0, float((1 << stored_bits) - 1)
