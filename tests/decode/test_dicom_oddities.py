"""DICOM as writers get it wrong, although the pixels are sound: what the pixels are, all the same.

Each kind was met and reported in public; the comments name where.
"""

import struct
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset
from refused_images import code_of

from dfsynth.decode import decode
from dfsynth.errors import ErrorCode

DicomFile = Callable[..., bytes]
JFIF = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
LUMA = np.array([0.299, 0.587, 0.114])


def picture(height: int = 12, width: int = 16) -> NDArray[np.uint16]:
    """12 bits, all of their range."""
    ramp = np.linspace(0, 4095, height * width).reshape(height, width)
    return np.rint(ramp).astype(np.uint16)


def retyped(data: bytes, tag: bytes, old: bytes, new: bytes) -> bytes:
    """The same element of another type in explicit little endian; its bytes stay."""
    assert data.count(tag + old) == 1
    return data.replace(tag + old, tag + new)


# dicom-rs 460, dcm4che 1368.
@pytest.mark.parametrize(("tag", "limit"), [(b"\x28\0\x20\x01", None), (b"\x28\0\x21\x01", -1990)])
def test_padding_has_the_sign_of_the_pixels_whatever_its_type(
    dicom_file: DicomFile, tag: bytes, limit: int | None
) -> None:
    stored = picture().astype(np.int16) - 1000
    stored[:3], stored[3] = -2000, -1995
    elements: dict[str, object] = {"PixelPaddingValue": -2000}
    if limit is not None:
        elements["PixelPaddingRangeLimit"] = limit
    image = decode(retyped(dicom_file(stored, **elements), tag, b"SS", b"US"))
    padded = 3 if limit is None else 4
    assert (image.pixels[:padded] == image.low).all()
    np.testing.assert_array_equal(image.pixels[padded:], stored[padded:])


def test_signed_padding_of_unsigned_pixels(dicom_file: DicomFile) -> None:
    stored = picture()
    stored[:3] = 63536
    data = dicom_file(stored, PixelPaddingValue=63536)
    image = decode(retyped(data, b"\x28\0\x20\x01", b"US", b"SS"))
    assert (image.pixels[:3] == 0).all()
    np.testing.assert_array_equal(image.pixels[3:], stored[3:])


def colours() -> NDArray[np.uint8]:
    """Smooth, so that JPEG keeps them; red, green and blue differ everywhere."""
    y, x = np.mgrid[0:32, 0:32]
    return np.dstack([x * 8, y * 8, 255 - x * 4 - y * 4]).astype(np.uint8)


def unmarked_jpeg(pixels: NDArray[np.uint8], **options: object) -> bytes:
    """A JPEG of RGB or, as the options say, of YCbCr with neither JFIF nor Adobe marker.

    Its components are called 1, 2 and 3.
    """
    data = bytes(imagecodecs.jpeg8_encode(pixels, level=100, **options))
    kept, offset = bytearray(data[:2]), 2
    while data[offset + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", data, offset + 2)
        segment = bytearray(data[offset : offset + 2 + length])
        if segment[1] in (0xC0, 0xC3):
            segment[10::3] = b"\1\2\3"
        if segment[1] not in (0xE0, 0xEE):
            kept += segment
        offset += 2 + length
    scan = bytearray(data[offset:])
    scan[5:11:2] = b"\1\2\3"
    return bytes(kept + scan)


RGB_CODED = {"colorspace": "RGB", "outcolorspace": "RGB"}
YBR_CODED = {"colorspace": "RGB", "outcolorspace": "YCBCR"}


# dcm4che 565, pydicom PR 1444; PS3.5 8.2.1.
@pytest.mark.parametrize(
    ("photometric", "coded"),
    [("RGB", RGB_CODED), ("YBR_FULL_422", YBR_CODED), ("YBR_FULL", YBR_CODED)],
)
def test_the_header_says_how_a_jpeg_without_a_marker_is_coded(
    dicom_file: DicomFile, photometric: str, coded: dict[str, object]
) -> None:
    rgb = colours()
    data = dicom_file(
        rgb,
        syntax=uid.JPEGBaseline8Bit,
        frame=unmarked_jpeg(rgb, **coded),
        PhotometricInterpretation=photometric,
    )
    np.testing.assert_allclose(decode(data).pixels, rgb @ LUMA, atol=1.6)


# dicom-rs 829.
@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL_422"])
def test_a_marker_says_it_whatever_the_header_says(dicom_file: DicomFile, photometric: str) -> None:
    rgb = colours()
    ybr = unmarked_jpeg(rgb, **YBR_CODED)
    adobe = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0"
    for frame in (
        ybr[:2] + JFIF + ybr[2:],
        ybr[:2] + adobe + b"\1" + ybr[2:],
        ybr[:2] + JFIF + adobe + b"\0" + ybr[2:],
        bytes(imagecodecs.jpeg8_encode(rgb, level=100, **RGB_CODED)),
    ):
        data = dicom_file(
            rgb,
            syntax=uid.JPEGBaseline8Bit,
            frame=frame,
            PhotometricInterpretation=photometric,
        )
        np.testing.assert_allclose(decode(data).pixels, rgb @ LUMA, atol=1.6)


def test_lossless_jpeg_is_coded_as_its_header_says_too(dicom_file: DicomFile) -> None:
    rgb = colours()
    frame = unmarked_jpeg(rgb, lossless=True)
    elements = {"syntax": uid.JPEGLosslessSV1, "frame": frame}
    as_rgb = decode(dicom_file(rgb, PhotometricInterpretation="RGB", **elements))
    np.testing.assert_allclose(as_rgb.pixels, rgb @ LUMA, atol=0.6)
    as_ybr = decode(dicom_file(rgb, PhotometricInterpretation="YBR_FULL", **elements))
    np.testing.assert_array_equal(as_ybr.pixels, rgb[..., 0])
    elements["frame"] = frame[:2] + JFIF + frame[2:]
    marked = decode(dicom_file(rgb, PhotometricInterpretation="RGB", **elements))
    np.testing.assert_array_equal(marked.pixels, rgb[..., 0])


def look_up_table(bits: int, entries: NDArray[np.uint16]) -> list[Dataset]:
    item = Dataset()
    item.add_new(0x00283002, "US", [len(entries), 0, bits])
    item.add_new(0x00283006, "OW", entries.astype("<u2").tobytes())
    return [item]


# dicom-rs PR 825.
@pytest.mark.parametrize(("bits", "largest", "high"), [(16, 4071, 4071), (12, 1500, 4095)])
def test_the_depth_of_a_table_is_not_that_of_its_storage(
    dicom_file: DicomFile, bits: int, largest: int, high: int
) -> None:
    stored = picture()
    entries = np.rint(np.linspace(0, largest, 4096)).astype(np.uint16)
    data = dicom_file(stored, bits=12, VOILUTSequence=look_up_table(bits, entries))
    np.testing.assert_allclose(decode(data).pixels, entries[stored] / high, atol=1e-6)


def test_a_dark_table_that_uses_all_sixteen_bits_keeps_them(dicom_file: DicomFile) -> None:
    stored = picture()
    entries = np.rint(np.linspace(0, 33_000, 4096)).astype(np.uint16)
    data = dicom_file(stored, bits=12, VOILUTSequence=look_up_table(16, entries))
    np.testing.assert_allclose(decode(data).pixels, entries[stored] / 65535, atol=1e-6)


def test_a_table_of_nothing_but_zeros_is_constant(dicom_file: DicomFile) -> None:
    table = look_up_table(16, np.zeros(4096, np.uint16))
    assert code_of(dicom_file(picture(), bits=12, VOILUTSequence=table)) == ErrorCode.CONSTANT


# Note to PS3.5 8.1.1; pydicom 796.
@pytest.mark.parametrize("excess", [1, 32, 100, 12 * 32 - 1])
@pytest.mark.parametrize("syntax", [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian])
def test_bytes_behind_the_pixels_are_padding(
    dicom_file: DicomFile, excess: int, syntax: str
) -> None:
    stored = picture()
    padded = stored.tobytes() + b"\7" * excess
    data = dicom_file(stored, bits=12, syntax=syntax, PixelData=padded + b"\0" * (excess % 2))
    if excess + excess % 2 < stored.nbytes:
        np.testing.assert_array_equal(decode(data).pixels, stored)
    else:
        assert code_of(data) == ErrorCode.CORRUPT


@pytest.mark.parametrize("images", [2, 3])
def test_bytes_enough_for_another_image_are_no_padding(dicom_file: DicomFile, images: int) -> None:
    stored = picture()
    data = dicom_file(stored, bits=12, PixelData=stored.tobytes() * images)
    assert code_of(data) == ErrorCode.CORRUPT


def windowed(dicom_file: DicomFile, center: bytes, width: bytes) -> bytes:
    """A window of these texts, of up to twelve bytes each."""
    data = dicom_file(picture(), bits=12, WindowCenter="1111.1111111", WindowWidth="2222.2222222")
    for old, new in ((b"1111.1111111", center), (b"2222.2222222", width)):
        assert data.count(old) == 1
        data = data.replace(old, new.ljust(12))
    return data


# grand-challenge 1374.
@pytest.mark.parametrize("second", [b"", b"\\", b"\\1024", b"\\none", b"\\\\"])
def test_the_first_window_counts_whatever_follows_it(dicom_file: DicomFile, second: bytes) -> None:
    image = decode(windowed(dicom_file, b"2048" + second, b"4096" + second))
    np.testing.assert_allclose(image.pixels, picture() / 4095, atol=1e-6)


# dcmjs 287.
@pytest.mark.parametrize(
    ("center", "width"),
    [
        (b"2047,5", b"4096"),
        (b"2048", b"4096,0"),
        (b"\\2048", b"\\4096"),
        (b"none", b""),
        (b"", b"1"),
    ],
)
def test_a_window_that_is_no_number_is_passed_over(
    dicom_file: DicomFile, center: bytes, width: bytes
) -> None:
    image = decode(windowed(dicom_file, center, width))
    np.testing.assert_array_equal(image.pixels, picture())
    assert (image.low, image.high) == (0, 4095)


def test_a_rescaling_that_is_no_number_is_a_fault(dicom_file: DicomFile) -> None:
    data = dicom_file(picture(), RescaleSlope="1.25", RescaleIntercept="0")
    assert code_of(data.replace(b"1.25", b"1,25")) == ErrorCode.CORRUPT
    assert decode(data.replace(b"1.25", b"2\\\\ ")).pixels.max() == 2 * 4095
