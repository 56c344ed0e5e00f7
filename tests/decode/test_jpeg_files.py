"""JPEG: sequential and progressive, 8 and 12 bits; what is cut off is found."""

import struct
from collections.abc import Callable
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pytest
from codestreams import jpeg_ls
from numpy.typing import NDArray
from refused_images import code_of

from dfsynth.decode import decode
from dfsynth.errors import ErrorCode


def jpeg(pixels: NDArray[np.generic], **options: Any) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(pixels, **options))


def colour(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.dstack([crop, 255 - crop, crop // 2])


def progressive(pixels: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes())


def with_restarts(pixels: NDArray[np.uint8], every: int) -> bytes:
    options = [cv2.IMWRITE_JPEG_RST_INTERVAL, every, cv2.IMWRITE_JPEG_QUALITY, 95]
    return bytes(cv2.imencode(".jpg", pixels, options)[1].tobytes())


def test_grey(crop: NDArray[np.uint8]) -> None:
    for data in (jpeg(crop, level=95), progressive(crop)):
        image = decode(data)
        assert image.pixels.dtype == np.uint8
        assert (image.high, image.bits, image.photometric) == (255, 8, "MONOCHROME2")
        assert np.abs(image.pixels.astype(int) - crop).max() <= 8


def test_twelve_bits(crop12: NDArray[np.uint16]) -> None:
    image = decode(jpeg(crop12, level=98, bitspersample=12))
    assert (image.pixels.dtype.name, image.high, image.bits) == ("uint16", 4095, 12)
    assert np.abs(image.pixels.astype(int) - crop12).max() <= 40


def test_colour_becomes_luma(crop: NDArray[np.uint8]) -> None:
    rgb = colour(crop)
    image = decode(jpeg(rgb, level=98))
    assert image.photometric == "RGB"
    assert np.abs(image.pixels - rgb @ np.array([0.299, 0.587, 0.114])).max() <= 6


def test_exif_orientation_is_not_applied(crop: NDArray[np.uint8]) -> None:
    plain = jpeg(crop[:100])
    entry = struct.pack("<HHII", 0x112, 3, 1, 6)
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + entry + bytes(4)
    turned = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]
    np.testing.assert_array_equal(decode(turned).pixels, decode(plain).pixels)


@pytest.mark.parametrize(
    ("write", "last_block_bytes"),
    [
        (lambda crop: jpeg(crop, level=95), 40),
        (lambda crop: jpeg(colour(crop), level=95), 60),
        (lambda crop: with_restarts(crop, every=3), 40),
        (progressive, None),
    ],
    ids=["grey", "colour", "restarts", "progressive"],
)
def test_every_cut_is_found_with_an_end_marker_or_without(
    crop: NDArray[np.uint8],
    write: Callable[[NDArray[np.uint8]], bytes],
    last_block_bytes: int | None,
) -> None:
    data = write(crop[:64, :64])
    for cut in range(3, len(data) - 1):
        assert code_of(data[:cut]) == ErrorCode.TRUNCATED, cut
    if last_block_bytes is None:
        # What is left of a progressive file is a whole image, if a coarse one.
        return
    first = data.index(b"\xff\xda") + 14
    # After a byte 0xFF too, which is half of a marker, and where a restart interval ends.
    assert b"\xff\0" in data[first:-last_block_bytes]
    # Whole blocks must be missing: the last bytes may hold only the last block's rest.
    for cut in range(first, len(data) - last_block_bytes):
        assert code_of(data[:cut] + b"\xff\xd9") == ErrorCode.TRUNCATED, cut


def test_mid_grey_corners_are_no_fault(crop: NDArray[np.uint8]) -> None:
    grey = crop.copy()
    grey[-64:] = 128
    image = decode(jpeg(grey, level=95))
    assert (image.pixels[-8:, -8:] == 128).all()


def test_bytes_after_the_end_and_between_segments_are_no_fault(crop: NDArray[np.uint8]) -> None:
    data = jpeg(crop)
    table = data.index(b"\xff\xdb")
    odd = data[:table] + b"\0\1\2" + data[table:] + b"trailing"
    np.testing.assert_array_equal(decode(odd).pixels, decode(data).pixels)


def test_scans_are_limited(crop: NDArray[np.uint8]) -> None:
    data = progressive(crop)
    last = data.rindex(b"\xff\xda")
    scan, before = data[last:-2], data[:last].count(b"\xff\xda")
    np.testing.assert_array_equal(
        decode(data[:last] + scan + b"\xff\xd9").pixels, decode(data).pixels
    )
    too_many = data[:last] + scan * (65 - before) + b"\xff\xd9"
    assert code_of(too_many) == ErrorCode.CORRUPT


def test_segments_are_limited(crop: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dfsynth.decode.codestream.MAX_SEGMENTS", 30)
    data = jpeg(crop)
    note = b"\xff\xfe\0\3x"
    many = data[:2] + note * 15 + data[2:]
    np.testing.assert_array_equal(decode(many).pixels, decode(data).pixels)
    assert code_of(data[:2] + note * 30 + data[2:]) == ErrorCode.CORRUPT


@pytest.mark.parametrize("length", [0, 1, 65535])
def test_segments_of_a_wrong_length(crop: NDArray[np.uint8], length: int) -> None:
    data = bytearray(jpeg(crop))
    struct.pack_into(">H", data, data.index(b"\xff\xc4") + 2, length)
    expected = ErrorCode.TRUNCATED if length > len(data) else ErrorCode.CORRUPT
    assert code_of(bytes(data)) == expected


def test_a_second_frame_header_is_refused(crop: NDArray[np.uint8]) -> None:
    data = jpeg(crop)
    at = data.index(b"\xff\xc0")
    frame = data[at : at + 2 + struct.unpack_from(">H", data, at + 2)[0]]
    assert code_of(data[:at] + frame + data[at:]) == ErrorCode.CORRUPT


def test_other_processes_are_refused(crop: NDArray[np.uint8]) -> None:
    for data in (
        jpeg(crop, lossless=True),
        jpeg_ls(crop),
        jpeg(np.dstack([crop] * 4), colorspace="CMYK", outcolorspace="CMYK"),
    ):
        assert code_of(data) == ErrorCode.UNSUPPORTED_FORMAT
