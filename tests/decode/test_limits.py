"""An image over the limits is refused by its header, before any codec sees it."""

import struct
import zlib
from collections.abc import Callable, Mapping

import cv2
import imagecodecs
import numpy as np
import pytest
from codestreams import j2k, jpeg_ls, lossless_jpeg, run_lengths
from numpy.typing import NDArray
from pydicom import uid
from refused_images import code_of

from dfsynth.decode import DecodeLimits, decode
from dfsynth.errors import ErrorCode, ImageError

Claim = Callable[[bytes, int, int], bytes]


ENCODERS: Mapping[str, Callable[[NDArray[np.uint8]], bytes]] = {
    uid.RLELossless: run_lengths,
    uid.JPEGBaseline8Bit: lambda pixels: bytes(imagecodecs.jpeg8_encode(pixels)),
    uid.JPEGLosslessSV1: lossless_jpeg,
    uid.JPEGLSLossless: jpeg_ls,
    uid.JPEG2000Lossless: j2k,
}
NATIVE = (uid.ExplicitVRLittleEndian, uid.DeflatedExplicitVRLittleEndian)
KINDS = ("png", "jpeg", "progressive", "tiff", "deflated tiff", *NATIVE, *ENCODERS)


@pytest.fixture(scope="session")
def files(
    crop: NDArray[np.uint8],
    dicom_file: Callable[..., bytes],
    tiff_file: Callable[..., bytes],
) -> Mapping[str, bytes]:
    """One real image in every encoding."""
    progressive = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    return {
        "png": bytes(imagecodecs.png_encode(crop)),
        "jpeg": bytes(imagecodecs.jpeg8_encode(crop)),
        "progressive": progressive,
        "tiff": tiff_file(crop),
        "deflated tiff": tiff_file(crop, compression=8),
        **{syntax: dicom_file(crop, syntax=syntax) for syntax in NATIVE},
        **{
            syntax: dicom_file(crop, syntax=syntax, frame=encode(crop))
            for syntax, encode in ENCODERS.items()
        },
    }


def claim_in_png(data: bytes, height: int, width: int) -> bytes:
    head = b"IHDR" + struct.pack(">II", width, height) + data[24:29]
    return data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:]


def claim_after(marker: bytes, layout: str, skipped: int) -> Claim:
    """Writes both sides, in the codestream's own order, so many bytes after a marker."""

    def claim(data: bytes, first: int, second: int) -> bytes:
        changed = bytearray(data)
        struct.pack_into(layout, changed, data.index(marker) + skipped, first, second)
        return bytes(changed)

    return claim


def claim_in_tiff(data: bytes, height: int, width: int) -> bytes:
    (start,) = struct.unpack_from("<I", data, 4)
    head = struct.pack("<HHIIHHII", 256, 4, 1, width, 257, 4, 1, height)
    return data[: start + 2] + head + data[start + 2 + len(head) :]


def claim_in_dicom(data: bytes, height: int, width: int) -> bytes:
    claimed = data
    for tag, size in ((b"\x28\0\x10\0US\2\0", height), (b"\x28\0\x11\0US\2\0", width)):
        at = claimed.index(tag) + len(tag)
        claimed = claimed[:at] + struct.pack("<H", size) + claimed[at + 2 :]
    return claimed


CLAIMS: Mapping[str, Claim] = {
    "png": claim_in_png,
    "jpeg": claim_after(b"\xff\xc0", ">HH", 5),
    "progressive": claim_after(b"\xff\xc2", ">HH", 5),
    "tiff": claim_in_tiff,
    "deflated tiff": claim_in_tiff,
    uid.ExplicitVRLittleEndian: claim_in_dicom,
    uid.RLELossless: claim_in_dicom,
    uid.JPEG2000Lossless: claim_in_dicom,
}
CODESTREAM_CLAIMS: Mapping[str, Claim] = {
    uid.JPEGBaseline8Bit: claim_after(b"\xff\xc0", ">HH", 5),
    uid.JPEGLosslessSV1: claim_after(b"\xff\xc3", ">HH", 5),
    uid.JPEGLSLossless: claim_after(b"\xff\xf7", ">HH", 5),
    uid.JPEG2000Lossless: claim_after(b"\xff\x4f\xff\x51", ">II", 8),
}
TALLER = {
    "png": ErrorCode.CORRUPT,
    "jpeg": ErrorCode.TRUNCATED,
    "progressive": ErrorCode.TRUNCATED,
    "tiff": ErrorCode.CORRUPT,
    "deflated tiff": ErrorCode.CORRUPT,
    uid.ExplicitVRLittleEndian: ErrorCode.TRUNCATED,
    uid.RLELossless: ErrorCode.CORRUPT,
    uid.JPEG2000Lossless: ErrorCode.CORRUPT,
}


@pytest.mark.usefixtures("no_codec")
@pytest.mark.parametrize("kind", KINDS)
def test_a_real_image_over_the_limit_reaches_no_codec(
    files: Mapping[str, bytes], crop: NDArray[np.uint8], kind: str
) -> None:
    over = DecodeLimits(max_pixels=crop.size - 1)
    assert code_of(files[kind], over) == ErrorCode.TOO_LARGE


@pytest.mark.parametrize("kind", KINDS)
def test_the_limit_itself_is_allowed(
    files: Mapping[str, bytes], crop: NDArray[np.uint8], kind: str
) -> None:
    limits = DecodeLimits(max_pixels=crop.size, max_bytes=max(crop.size, len(files[kind])) + 2000)
    assert decode(files[kind], limits).pixels.shape == crop.shape


@pytest.mark.usefixtures("no_codec")
@pytest.mark.parametrize("kind", CLAIMS)
def test_a_small_file_that_claims_much_reaches_no_codec(
    files: Mapping[str, bytes], kind: str
) -> None:
    claimed = CLAIMS[kind](files[kind], 20_000, 20_000)
    assert len(claimed) == len(files[kind])
    assert code_of(claimed) == ErrorCode.TOO_LARGE


@pytest.mark.usefixtures("no_codec")
@pytest.mark.parametrize("syntax", CODESTREAM_CLAIMS)
def test_a_codestream_that_claims_more_than_its_dicom_header_reaches_no_codec(
    files: Mapping[str, bytes], syntax: str
) -> None:
    claim = CODESTREAM_CLAIMS[syntax]
    assert code_of(claim(files[syntax], 20_000, 10_000)) == ErrorCode.TOO_LARGE
    assert code_of(claim(files[syntax], 256, 257)) == ErrorCode.CORRUPT


@pytest.mark.parametrize("kind", CLAIMS)
def test_more_rows_than_the_data_hold(files: Mapping[str, bytes], kind: str) -> None:
    assert code_of(CLAIMS[kind](files[kind], 300, 256)) == TALLER[kind]


@pytest.mark.parametrize("kind", CLAIMS)
@pytest.mark.parametrize(("height", "width"), [(0, 256), (256, 0)])
def test_a_side_of_no_pixels(
    files: Mapping[str, bytes], kind: str, height: int, width: int
) -> None:
    assert code_of(CLAIMS[kind](files[kind], height, width)) == ErrorCode.CORRUPT


@pytest.mark.usefixtures("no_codec")
def test_memory_counts_beside_pixels(
    dicom_file: Callable[..., bytes], crop: NDArray[np.uint8]
) -> None:
    """Three planes of 14 bytes are more than the 16 that each pixel of the limit stands for."""
    rgb = np.dstack([crop, 255 - crop, crop // 2])
    data = dicom_file(rgb, syntax=uid.JPEG2000Lossless, frame=j2k(rgb))
    with pytest.raises(ImageError, match="takes about 2 MB") as caught:
        decode(data, DecodeLimits(max_pixels=2 * crop.size))
    assert caught.value.code == ErrorCode.TOO_LARGE
    with pytest.raises(AssertionError, match="a codec was called"):
        decode(data, DecodeLimits(max_pixels=3 * crop.size))
