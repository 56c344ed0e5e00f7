"""DICOM: what a file may cost in memory and time is bounded, whatever its header says."""

import struct
import zlib
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import uid
from refused_images import code_of
from traced_memory import peak_bytes

from dfsynth.decode import DecodeLimits, decode
from dfsynth.errors import ErrorCode

DicomFile = Callable[..., bytes]
ITEM_END = b"\xfe\xff\x0d\xe0\0\0\0\0"
SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
PIXELS_IMPLICIT = b"\xe0\x7f\x10\0"
MEGABYTE = 1_000_000


def implicit(tag: tuple[int, int], value: bytes) -> bytes:
    return struct.pack("<HHI", *tag, len(value)) + value


def put_before(data: bytes, mark: bytes, element: bytes) -> bytes:
    at = data.index(mark)
    return data[:at] + element + data[at:]


def test_rows_and_columns_are_limited(dicom_file: DicomFile, crop: NDArray[np.uint8]) -> None:
    assert code_of(dicom_file(crop, Rows=65535, Columns=65535)) == ErrorCode.TOO_LARGE
    assert code_of(dicom_file(crop, Rows=257)) == ErrorCode.TRUNCATED
    assert code_of(dicom_file(crop, Rows=128)) == ErrorCode.CORRUPT


@pytest.mark.parametrize("frames", [2, 1_000_000])
@pytest.mark.usefixtures("no_codec")
def test_more_than_one_frame_reaches_no_codec(
    dicom_file: DicomFile, crop: NDArray[np.uint8], frames: int
) -> None:
    frame = imagecodecs.jpegls_encode(crop)
    data = dicom_file(crop, syntax=uid.JPEGLSLossless, frame=frame, NumberOfFrames=frames)
    assert code_of(data) == ErrorCode.MULTI_FRAME
    assert code_of(dicom_file(crop, NumberOfFrames=frames)) == ErrorCode.MULTI_FRAME


def test_inflating_ends_at_the_limit(dicom_file: DicomFile) -> None:
    """A black image of 4 MB in 4 kB; the file itself is well below the limit."""
    data = dicom_file(np.zeros((2000, 2000), np.uint8), syntax=uid.DeflatedExplicitVRLittleEndian)
    limits = DecodeLimits(max_bytes=100_000)
    assert len(data) < limits.max_bytes
    codes: list[ErrorCode] = []
    peak = peak_bytes(lambda: codes.append(code_of(data, limits)))
    assert codes == [ErrorCode.TOO_LARGE]
    assert peak < MEGABYTE


@pytest.mark.parametrize("cut", [1, 10, 0.3, 0.9])
def test_a_deflated_data_set_that_is_damaged(
    dicom_file: DicomFile, crop: NDArray[np.uint8], cut: float
) -> None:
    data = dicom_file(crop, syntax=uid.DeflatedExplicitVRLittleEndian)
    start = 132 + 12 + struct.unpack_from("<I", data, 140)[0]
    kept = start + (int(cut * (len(data) - start)) if cut < 1 else int(cut))
    assert code_of(data[:kept]) == ErrorCode.TRUNCATED
    assert code_of(data[:start] + b"\xff" + data[start + 1 :]) == ErrorCode.CORRUPT
    flat = zlib.decompress(data[start:], -zlib.MAX_WBITS)
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    short = stream.compress(flat[:-1000]) + stream.flush()
    assert code_of(data[:start] + short) == ErrorCode.TRUNCATED


def nested(depth: int) -> bytes:
    opened = b"\x08\0\x01\x10SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff"
    return opened * depth + (ITEM_END + SEQUENCE_END) * depth


def test_nesting_is_limited(dicom_file: DicomFile, crop: NDArray[np.uint8]) -> None:
    data, mark = dicom_file(crop), b"\x08\0\x16\0UI"
    np.testing.assert_array_equal(decode(put_before(data, mark, nested(10))).pixels, crop)
    assert code_of(put_before(data, mark, nested(400))) == ErrorCode.CORRUPT


@pytest.mark.parametrize("tag", [b"\x08\0\x01\x10", b"\x28\0\x10\x30", b"\x10\0\x10\0"])
def test_countless_items_are_not_read(
    dicom_file: DicomFile, crop: NDArray[np.uint8], tag: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dfsynth.decode.dicom_file._MAX_READS", 500)
    data, mark = dicom_file(crop), b"\x28\0\x02\0US"
    opened, items = tag + b"SQ\0\0\xff\xff\xff\xff", b"\xfe\xff\0\xe0\0\0\0\0" * 500
    few = opened + items[: 8 * 50] + SEQUENCE_END
    np.testing.assert_array_equal(decode(put_before(data, mark, few)).pixels, crop)
    many = opened + items + SEQUENCE_END
    assert code_of(put_before(data, mark, many)) == ErrorCode.CORRUPT
    stepped_over = tag + b"SQ\0\0" + struct.pack("<I", len(items)) + items
    np.testing.assert_array_equal(decode(put_before(data, mark, stepped_over)).pixels, crop)


def test_countless_elements_are_not_read(
    dicom_file: DicomFile, crop: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dfsynth.decode.dicom_file._MAX_READS", 500)
    elements = b"\x09\0\x01\0UN\0\0\0\0\0\0" * 500
    assert code_of(put_before(dicom_file(crop), b"\x28\0\x02\0US", elements)) == ErrorCode.CORRUPT


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ((0x0028, 0x1050), b"1\\" * 200_000 + b"1 "),
        ((0x0028, 0x0120), b"\1\0" * 200_000),
        ((0x0028, 0x1056), b"LINEAR\\" * 60_000),
        ((0x0028, 0x0004), b"\\" * 400_000),
        ((0x0008, 0x0005), b"\\" * 400_000),
    ],
    ids=["window", "padding", "function", "photometric", "character set"],
)
def test_long_values_are_not_taken_apart(
    dicom_file: DicomFile, crop: NDArray[np.uint8], tag: tuple[int, int], value: bytes
) -> None:
    """Implicit encoding allows values of any length, of which each number would be an object."""
    data = dicom_file(
        crop, syntax=uid.ImplicitVRLittleEndian, PhotometricInterpretation="MONOCHROME2"
    )
    if tag == (0x0028, 0x0004):
        data = data.replace(implicit(tag, b"MONOCHROME2 "), implicit(tag, value))
    else:
        mark = PIXELS_IMPLICIT if tag[0] == 0x0028 else b"\x08\0\x16\0"
        data = put_before(data, mark, implicit(tag, value))
    codes: list[ErrorCode] = []
    peak = peak_bytes(lambda: codes.append(code_of(data)))
    assert codes == [ErrorCode.CORRUPT]
    assert peak < 4 * len(data)


def test_a_long_character_set_inside_a_sequence_is_not_taken_apart(
    dicom_file: DicomFile, crop: NDArray[np.uint8]
) -> None:
    data = dicom_file(crop, syntax=uid.ImplicitVRLittleEndian)
    inner = implicit((0x0008, 0x0005), b"\\" * 400_000)
    opened = b"\x08\0\x01\x10\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff"
    data = put_before(data, PIXELS_IMPLICIT, opened + inner + ITEM_END + SEQUENCE_END)
    codes: list[ErrorCode] = []
    peak = peak_bytes(lambda: codes.append(code_of(data)))
    assert codes == [ErrorCode.CORRUPT]
    assert peak < 4 * len(data)


@pytest.mark.parametrize("outer", [(0x0028, 0x3010), (0x0028, 0x3000)])
def test_tables_inside_tables_are_not_copied_at_each_level(
    dicom_file: DicomFile, crop: NDArray[np.uint8], outer: tuple[int, int]
) -> None:
    data = dicom_file(crop, syntax=uid.ImplicitVRLittleEndian)
    value = implicit((0x0028, 0x3006), bytes(MEGABYTE))
    for _ in range(20):
        value = implicit(outer, implicit((0xFFFE, 0xE000), value))
    data = put_before(data, PIXELS_IMPLICIT, value)
    peak = peak_bytes(lambda: decode(data))
    np.testing.assert_array_equal(decode(data).pixels, crop)
    assert peak < 4 * len(data)


def test_a_delimiter_inside_a_fragment_is_data(
    dicom_file: DicomFile, crop: NDArray[np.uint8]
) -> None:
    pixels = crop.copy()
    pixels[100, 100:108] = np.frombuffer(SEQUENCE_END, np.uint8)
    literal = b"".join(b"\x7f" + row.tobytes() for row in pixels.reshape(-1, 128))
    frame = struct.pack("<16I", 1, 64, *[0] * 14) + literal
    assert SEQUENCE_END in frame
    data = dicom_file(pixels, syntax=uid.RLELossless, frame=frame)
    np.testing.assert_array_equal(decode(data).pixels, pixels)
