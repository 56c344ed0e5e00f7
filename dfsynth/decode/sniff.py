"""What a file is, by its first bytes and never by its name.

Of radiographs, only four formats ever reach a decoder. All others are named here, so that the
message can say what the file is, and go no further: every decoder more is one more that a hostile
file can attack.
"""

import struct
from enum import Enum, auto
from typing import Final

from pydicom.valuerep import EXPLICIT_VR_LENGTH_16, EXPLICIT_VR_LENGTH_32

from dfsynth.errors import ErrorCode, ImageError


class Format(Enum):
    """The formats that are decoded."""

    PNG = auto()
    JPEG = auto()
    TIFF = auto()
    DICOM = auto()


_DICOM_PREAMBLE_BYTES: Final = 128
_LONG_VRS: Final = frozenset(str(vr).encode() for vr in EXPLICIT_VR_LENGTH_32)
_VRS: Final = _LONG_VRS | frozenset(str(vr).encode() for vr in EXPLICIT_VR_LENGTH_16)
_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"\xff\xd8\xff", Format.JPEG),
    (b"II*\0", Format.TIFF),
    (b"MM\0*", Format.TIFF),
)
_GREY_FORMATS: Final = "PNG, JPEG, TIFF or DICOM"
_RESAVE: Final = "save it as {expected}"
_UNPACK: Final = "unpack it first"
_OTHERS: Final = (
    (0, b"\x1f\x8b", "a gzip file", _UNPACK),
    (0, b"PK\x03\x04", "a zip archive", _UNPACK),
    (0, b"BZh", "a bzip2 file", _UNPACK),
    (0, b"\xfd7zXZ\0", "an xz file", _UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "a zstd file", _UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-zip archive", _UNPACK),
    (0, b"GIF8", "a GIF image", _RESAVE),
    (0, b"BM", "a BMP image", _RESAVE),
    (0, b"8BPS", "a Photoshop image", _RESAVE),
    (0, b"\x01\xda", "an SGI image", _RESAVE),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 image", _RESAVE),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 codestream", _RESAVE),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL image", _RESAVE),
    (0, b"\xff\x0a", "a JPEG XL codestream", _RESAVE),
    (0, b"II+\0", "a BigTIFF image", "save it as classic TIFF"),
    (0, b"MM\0+", "a BigTIFF image", "save it as classic TIFF"),
    (8, b"WEBP", "a WebP image", _RESAVE),
    (4, b"ftypavif", "an AVIF image", _RESAVE),
    (4, b"ftyphei", "an HEIF image", _RESAVE),
    (0, b"\0\0\x01\0", "a Windows icon", _RESAVE),
    (0, b"icns", "an Apple icon", _RESAVE),
    (0, b"DDS ", "a DDS texture", _RESAVE),
    (0, b"BLP", "a BLP texture", _RESAVE),
    (4, b"\x11\xaf", "an FLI animation", _RESAVE),
    (4, b"\x12\xaf", "an FLC animation", _RESAVE),
    (0, b"\x0a\x05\x01", "a PCX image", _RESAVE),
    (0, b"LinS", "an MSP image", _RESAVE),
    (0, b"DanM", "an MSP image", _RESAVE),
    (0, b"P5", "a PGM image", _RESAVE),
    (0, b"P6", "a PPM image", _RESAVE),
    (0, b"SIMPLE  =", "a FITS file", _RESAVE),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR image", _RESAVE),
    (344, b"n+1\0", "a NIfTI volume", _RESAVE),
    (0, b"NRRD000", "an NRRD volume", _RESAVE),
    (0, b"ObjectType", "a MetaImage header", _RESAVE),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", _RESAVE),
    (0, b"%PDF-", "a PDF document", "extract its image first"),
)
_PAGE_STARTS: Final = (b"<!doctype html", b"<html", b"<?xml")


def sniff(data: bytes, expected: str = _GREY_FORMATS) -> Format:
    """The format of a file's bytes; `expected` is what messages ask for in place of another.

    Raises:
        ImageError: `empty`, `unsupported_format` (a known format that is not decoded) or
            `not_an_image`.
    """
    if not data:
        raise ImageError(
            ErrorCode.EMPTY, "the file has no bytes; an image was expected; get the file again"
        )
    if data[_DICOM_PREAMBLE_BYTES : _DICOM_PREAMBLE_BYTES + 4] == b"DICM":
        return Format.DICOM
    for magic, known in _MAGIC:
        if data.startswith(magic):
            return known
    if _starts_like_data_set(data):
        return Format.DICOM
    _refuse_other(data, expected)
    raise ImageError(
        ErrorCode.NOT_AN_IMAGE,
        f"the file starts like no image; {expected} was expected; leave it out of the source or "
        "convert it",
    )


def _refuse_other(data: bytes, expected: str) -> None:
    for offset, magic, name, advice in _OTHERS:
        if data[offset : offset + len(magic)] == magic:
            raise ImageError(
                ErrorCode.UNSUPPORTED_FORMAT,
                f"the file is {name}; {expected} was expected; {advice.format(expected=expected)}",
            )
    if data[:64].lstrip().lower().startswith(_PAGE_STARTS):
        raise ImageError(
            ErrorCode.NOT_AN_IMAGE,
            "the file is a web page or XML, not an image; its download probably failed; get it "
            "again",
        )


def _starts_like_data_set(data: bytes) -> bool:
    """Whether bytes without the DICM mark begin with an element that opens a DICOM data set."""
    if len(data) < 12:
        return False
    for order in "<>":
        group, number, vr, short = struct.unpack_from(order + "HH2sH", data)
        if group not in (0x0002, 0x0008) or number > 0x0070:
            continue
        if vr in _VRS:
            return vr in _LONG_VRS or 8 + short <= len(data)
        (length,) = struct.unpack_from(order + "I", data, 4)
        return order == "<" and length <= 1024 and 8 + length <= len(data)
    return False
