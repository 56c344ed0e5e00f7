"""Formats are told by content."""

import gzip

import pytest

from dfsynth.decode import DecodeLimits, decode
from dfsynth.errors import ErrorCode, ImageError


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", ErrorCode.EMPTY, "no bytes"),
        (b"hello world, this is text" * 20, ErrorCode.NOT_AN_IMAGE, "no image"),
        (b"\n<!DOCTYPE html><html>", ErrorCode.NOT_AN_IMAGE, "web page"),
        (bytes(1000), ErrorCode.NOT_AN_IMAGE, "no image"),
        (gzip.compress(b"x" * 100, mtime=0), ErrorCode.UNSUPPORTED_FORMAT, "unpack"),
        (b"GIF89a" + bytes(40), ErrorCode.UNSUPPORTED_FORMAT, "GIF"),
        (b"BM" + bytes(60), ErrorCode.UNSUPPORTED_FORMAT, "BMP"),
        (b"\xff\x4f\xff\x51" + bytes(60), ErrorCode.UNSUPPORTED_FORMAT, "JPEG 2000"),
        (b"II+\0" + bytes(60), ErrorCode.UNSUPPORTED_FORMAT, "BigTIFF"),
        (b"RIFF\0\0\0\0WEBPVP8 ", ErrorCode.UNSUPPORTED_FORMAT, "WebP"),
        (b"\x89PNG\r\n\x1a\n", ErrorCode.TRUNCATED, "PNG"),
        (b"\xff\xd8\xff", ErrorCode.TRUNCATED, "JPEG"),
        (b"MM\0*", ErrorCode.TRUNCATED, "TIFF"),
        (bytes(128) + b"DICM", ErrorCode.NO_PIXELS, "DICOM"),
        (b"\x08\0\x16\0UI\x04\x001.2\0", ErrorCode.NO_PIXELS, "DICOM"),
        (b"\0\x08\0\x16UI\0\x041.2\0", ErrorCode.NO_PIXELS, "DICOM"),
        (b"\x08\0\x16\0\x04\0\0\x001.2\0", ErrorCode.NO_PIXELS, "DICOM"),
    ],
)
def test_what_is_no_image_says_so(data: bytes, code: ErrorCode, words: str) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        decode(data)
    assert caught.value.code == code


def test_a_file_larger_than_the_limit_is_not_looked_at() -> None:
    with pytest.raises(ImageError) as caught:
        decode(b"GIF89a" + bytes(200), DecodeLimits(max_bytes=100))
    assert caught.value.code == ErrorCode.TOO_LARGE
