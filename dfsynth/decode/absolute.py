"""Bytes → values in a unit: the entry of this stage for checkpoints that take such."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from dfsynth.decode.decoder import require_bytes
from dfsynth.decode.dicom_rescaled import read_rescaled_dicom
from dfsynth.decode.failures import VALUE_FORMATS, wrong_unit
from dfsynth.decode.limits import DecodeLimits
from dfsynth.decode.nifti import read_nifti, starts_like_nifti
from dfsynth.decode.numpy_file import is_numpy, read_numpy
from dfsynth.decode.sniff import Format, sniff
from dfsynth.decode.tiff import read_floating_tiff
from dfsynth.decode.values import image_of_values
from dfsynth.records import DecodedImage, IntensityRange

_Reader: TypeAlias = Callable[[bytes, DecodeLimits, IntensityRange], DecodedImage]


def decode_absolute(data: bytes, limits: DecodeLimits, expected: IntensityRange) -> DecodedImage:
    """Decodes one image of values in `expected.unit`, such as a slice in 1/m.

    Floating-point TIFF and NumPy files are taken to be in that unit; NIfTI files of one slice too,
    after their scaling; DICOM files after rescale slope and intercept, and without window, look-up
    table or inversion. `pixels` is (y, x) float32, unscaled, as it lies in the file. An image
    whose values are all equal is an image: a slice outside the body is.

    Raises:
        ImageError: `wrong_unit` for grey values and for other units; else whatever is wrong with
            the file.
    """
    require_bytes(data, limits)
    return _reader_of(data)(data, limits, expected)


def _reader_of(data: bytes) -> _Reader:
    if is_numpy(data):
        return _read_numpy
    if starts_like_nifti(data):
        return read_nifti
    return _READERS[sniff(data, VALUE_FORMATS)]


def _read_numpy(data: bytes, limits: DecodeLimits, _: IntensityRange) -> DecodedImage:
    return image_of_values(read_numpy(data, limits))


def _read_tiff(data: bytes, limits: DecodeLimits, expected: IntensityRange) -> DecodedImage:
    values = read_floating_tiff(data, limits)
    if values is None:
        raise wrong_unit("a TIFF file of whole numbers, or of several channels", expected.unit)
    return image_of_values(values)


def _refuse_png(_: bytes, __: DecodeLimits, expected: IntensityRange) -> DecodedImage:
    raise wrong_unit("grey values of a PNG file", expected.unit)


def _refuse_jpeg(_: bytes, __: DecodeLimits, expected: IntensityRange) -> DecodedImage:
    raise wrong_unit("grey values of a JPEG file", expected.unit)


_READERS: Final[Mapping[Format, _Reader]] = {
    Format.PNG: _refuse_png,
    Format.JPEG: _refuse_jpeg,
    Format.TIFF: _read_tiff,
    Format.DICOM: read_rescaled_dicom,
}
