"""One image as a Python program has it: a file's path, a DICOM data set, an array → pixels."""

import io
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, uid
from pydicom.dataset import FileMetaDataset

from dfsynth.decode import DecodeLimits
from dfsynth.decode.decoder import check_values
from dfsynth.decode.dicom_file import PYDICOM_ERRORS
from dfsynth.decode.failures import corrupt_dicom, wrong_unit
from dfsynth.decode.grey import to_grey
from dfsynth.decode.values import image_of_values
from dfsynth.errors import UsageError
from dfsynth.files.object_path import AnyPath, to_any_path
from dfsynth.preprocess import decoder_of
from dfsynth.records import DecodedImage, Intensity, IntensityRange
from dfsynth.source.reading import read_below

ImageInput: TypeAlias = str | AnyPath | Dataset | NDArray[Any]
"""The path of a PNG, JPEG, TIFF or DICOM file, on a disk or in an object store; a data set of
pydicom; an array (y, x), or (y, x, channel) of 8 or 16 bits. Of values in a unit, the path of a
TIFF, NumPy, NIfTI or DICOM file, such a data set, or an array (y, x) of signed numbers."""

_NO_NAME: Final = "0"
_OF_AN_ARRAY: Final = "an array says nothing of it: dense tissue is taken as bright"


@dataclass(frozen=True, slots=True)
class GivenImage:
    """What was given, decoded."""

    name: str
    """Of its file; "0" where it has none."""
    decoded: DecodedImage
    polarity: str
    """What is taken as bright, and why."""


def read_given(
    given: ImageInput, limits: DecodeLimits, inverted: bool, intensity: Intensity
) -> GivenImage:
    """Decodes one image by the convention `intensity` of the checkpoint.

    `inverted` turns it once more, where dense tissue is dark; values in a unit are never turned.

    Raises:
        ImageError: whatever is wrong with the file or with the values.
        UsageError: something that is no image, or values in a unit that are to be turned.
        DfsynthError: its folder is gone, or the machine fails.
    """
    if inverted and isinstance(intensity, IntensityRange):
        raise UsageError(
            f"inverted=True: the checkpoint takes values in {intensity.unit}, which are never "
            "turned; leave it out"
        )
    found = _decoded(given, limits, intensity)
    if not inverted:
        return found
    image = found.decoded
    turned = _turned(image.pixels, image.low, image.high)
    return replace(
        found, decoded=replace(image, pixels=turned), polarity="turned, since inverted=True"
    )


def _decoded(given: ImageInput, limits: DecodeLimits, intensity: Intensity) -> GivenImage:
    if isinstance(given, Dataset):
        return _of_file(_NO_NAME, _encoded(given), limits, intensity)
    if isinstance(given, str | AnyPath):
        path = to_any_path(given)
        data = read_below(path.parent, path.name, limits.max_bytes)
        return _of_file(path.name, data, limits, intensity)
    values = np.asarray(given)
    if isinstance(intensity, IntensityRange):
        return GivenImage(_NO_NAME, _of_values(values, intensity), _as_they_are(intensity))
    return GivenImage(_NO_NAME, _of_array(values), _OF_AN_ARRAY)


def _of_file(name: str, data: bytes, limits: DecodeLimits, intensity: Intensity) -> GivenImage:
    image = decoder_of(intensity)(data, limits)
    if isinstance(intensity, IntensityRange):
        return GivenImage(name, image, _as_they_are(intensity))
    said = "turned, so that dense tissue is bright"
    if image.photometric != "MONOCHROME1":
        said = "dense tissue is taken as bright"
    return GivenImage(name, image, f"{image.photometric}: {said}")


def _encoded(given: Dataset) -> bytes:
    """The file of a data set, in memory; nothing of it is kept but the pixels."""
    file = io.BytesIO()
    whole = copy(given)
    whole.preamble = bytes(128)
    whole.file_meta = copy(getattr(given, "file_meta", FileMetaDataset()))
    if "TransferSyntaxUID" not in whole.file_meta:
        whole.file_meta.TransferSyntaxUID = _transfer_syntax(given)
    try:
        whole.save_as(file)
    except PYDICOM_ERRORS as error:
        raise corrupt_dicom("has elements that cannot be encoded") from error
    return file.getvalue()


def _transfer_syntax(given: Dataset) -> uid.UID:
    """That of what was read without one, or was made in memory: uncompressed."""
    implicit, little_endian = given.original_encoding
    if implicit:
        return uid.ImplicitVRLittleEndian
    return uid.ExplicitVRBigEndian if little_endian is False else uid.ExplicitVRLittleEndian


def _as_they_are(intensity: IntensityRange) -> str:
    return f"values in {intensity.unit}, taken as they are"


def _of_values(values: NDArray[Any], intensity: IntensityRange) -> DecodedImage:
    """Numbers (y, x) in a unit: signed ones, since those without a sign are grey values."""
    if values.dtype.kind == "u":
        raise wrong_unit(f"an array of {values.dtype.name}, as grey values are", intensity.unit)
    if values.dtype.kind not in "if" or values.ndim != 2 or values.size == 0:
        raise UsageError(
            f"found an array of shape {values.shape} and type {values.dtype}; expected numbers "
            f"(y, x) in {intensity.unit}"
        )
    return image_of_values(values)


def _of_array(values: NDArray[Any]) -> DecodedImage:
    if values.dtype.kind not in "uif" or values.ndim not in (2, 3) or values.size == 0:
        raise UsageError(
            f"found an array of shape {values.shape} and type {values.dtype}; expected numbers "
            "(y, x), or 8 or 16 bits of (y, x, channel)"
        )
    bits = 8 * values.dtype.itemsize
    if values.dtype in (np.uint8, np.uint16):
        image = DecodedImage(to_grey(values), 0.0, float(2**bits - 1), bits, "MONOCHROME2", None)
    else:
        image = _of_numbers(values, bits)
    check_values(image)
    return image


def _of_numbers(values: NDArray[Any], bits: int) -> DecodedImage:
    """Numbers without a depth: they range over [0, 1] if they fit, else over what there is."""
    if values.ndim != 2:
        raise UsageError(
            f"found {values.dtype} of shape {values.shape}; expected one channel, (y, x)"
        )
    with np.errstate(over="ignore"):
        pixels = np.ascontiguousarray(values, np.float32)
    low, high = float(pixels.min()), float(pixels.max())
    if values.dtype.kind == "f" and 0 <= low <= high <= 1:
        low, high = 0.0, 1.0
    return DecodedImage(pixels, low, high, bits, "MONOCHROME2", None)


def _turned(
    pixels: NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32], low: float, high: float
) -> Any:
    if pixels.dtype == np.float32:
        return np.subtract(np.float32(low + high), pixels, dtype=np.float32)
    return np.subtract(pixels.dtype.type(high), pixels)
