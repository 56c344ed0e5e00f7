"""DICOM → values in the unit of its rescaling, as slices of CT have them.

Windows, VOI look-up tables and inversions are ways to look at values (PS3.3 C.11.2, C.11.6), and
no part of them.
"""

from typing import Final

import numpy as np

from dfsynth.decode import dicom_tags as tags
from dfsynth.decode.dicom import padding_mask
from dfsynth.decode.dicom_file import DataSet, parse_data_set
from dfsynth.decode.dicom_frame import stored_values
from dfsynth.decode.dicom_header import GREY, decimals, describe_pixels, pixel_pitch_mm, text
from dfsynth.decode.dicom_values import GreyValues, natural_range, to_modality
from dfsynth.decode.failures import wrong_unit
from dfsynth.decode.limits import DecodeLimits
from dfsynth.decode.values import image_of_values
from dfsynth.records import DecodedImage, IntensityRange

_UNSPECIFIED: Final = ("", "US")
_DEFINED_TERMS: Final = ("OD", "HU", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT")
"""Units that PS3.3 C.11.1.1.2 knows; only these are named, since the header's text may say who the
patient is."""
_SPELLINGS: Final = {"m-1": "1/m", "/m": "1/m"}
"""UCUM's words for units, in those of cards."""


def read_rescaled_dicom(
    data: bytes, limits: DecodeLimits, expected: IntensityRange
) -> DecodedImage:
    """Decodes a DICOM file of one frame: stored values × rescale slope + intercept, unscaled.

    Pixels of the padding value become `expected.low`, which is 0 for the network, as its own
    padding is. The values are in the unit that Rescale Type names; of CT without one they are in
    HU (PS3.3 C.8.2.1), of anything else they are taken for what is expected.

    Raises:
        ImageError: `wrong_unit` without slope and intercept, of colours, or in another unit;
            otherwise as `read_dicom`.
    """
    data_set = parse_data_set(data, limits.max_bytes)
    pixels = describe_pixels(data_set)
    if pixels.photometric not in GREY or not _is_rescaled(data_set):
        raise wrong_unit("a DICOM image without rescale slope and intercept", expected.unit)
    unit = _unit(data_set)
    if unit is not None and unit.casefold() != expected.unit.casefold():
        named = unit if unit in _DEFINED_TERMS else "another unit"
        raise wrong_unit(
            f"a DICOM image of values in {named} (by its Rescale Type or, without one, as CT)",
            expected.unit,
        )
    stored = stored_values(data_set, pixels, limits)
    natural = GreyValues(stored, *natural_range(pixels.stored, pixels.signed))
    values = to_modality(natural, data_set, pixels.signed).values.astype(np.float32)
    padding = padding_mask(stored, data_set)
    if padding is not None:
        values[padding] = expected.low
    return image_of_values(values, pixels.stored, pixel_pitch_mm(data_set))


def _is_rescaled(data_set: DataSet) -> bool:
    rescaling = (tags.RESCALE_SLOPE, tags.RESCALE_INTERCEPT)
    return all(decimals(data_set, tag, 1) for tag in rescaling)


def _unit(data_set: DataSet) -> str | None:
    """Of the rescaled values; null where the file does not say."""
    stated = text(data_set, tags.RESCALE_TYPE)
    if stated not in _UNSPECIFIED:
        return _SPELLINGS.get(stated, stated)
    return "HU" if not stated and text(data_set, tags.MODALITY) == "CT" else None
