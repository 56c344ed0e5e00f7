"""JPEG 2000 inside DICOM: its own header is believed only as far as memory and time allow."""

import struct
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
from codestreams import j2k
from numpy.typing import NDArray
from pydicom import uid
from refused_images import code_of

from dfsynth.decode import decode
from dfsynth.errors import ErrorCode, ImageError

DicomFile = Callable[..., bytes]
SIZE_MARKER = b"\xff\x4f\xff\x51"
CODING, CODING_OF_ONE, TILE_PART = b"\xff\x52", b"\xff\x53", b"\xff\x90"


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


@pytest.fixture
def dicom_of(dicom_file: DicomFile, crop: NDArray[np.uint8]) -> Callable[[bytes], bytes]:
    """A DICOM file of the real image's size around a codestream."""
    return lambda frame: dicom_file(crop, syntax=uid.JPEG2000Lossless, frame=frame)


@pytest.fixture(scope="module")
def boxed(crop: NDArray[np.uint8]) -> tuple[bytes, bytes]:
    """The boxes before the codestream of a JP2 file, and the codestream."""
    data = j2k(crop, codecformat="jp2")
    start = data.index(SIZE_MARKER)
    return data[: start - 8], data[start:]


@pytest.mark.parametrize("length", ["own", "to the end", "64 bits"])
def test_boxes_around_the_codestream_are_no_fault(
    dicom_of: Callable[[bytes], bytes],
    boxed: tuple[bytes, bytes],
    crop: NDArray[np.uint8],
    length: str,
) -> None:
    before, codestream = boxed
    head = {
        "own": struct.pack(">I4s", 8 + len(codestream), b"jp2c"),
        "to the end": struct.pack(">I4s", 0, b"jp2c"),
        "64 bits": struct.pack(">I4sQ", 1, b"jp2c", 16 + len(codestream)),
    }[length]
    data = dicom_of(before + head + codestream)
    np.testing.assert_array_equal(decode(data).pixels, crop)


def test_the_codec_sees_the_codestream_alone(
    dicom_of: Callable[[bytes], bytes],
    boxed: tuple[bytes, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Palettes and colour profiles in boxes could ask for memory that no header here tells of."""
    before, codestream = boxed
    seen: list[bytes] = []
    plain = imagecodecs.jpeg2k_decode

    def watched(data: bytes) -> NDArray[np.generic]:
        seen.append(bytes(data))
        return plain(data)

    monkeypatch.setattr(imagecodecs, "jpeg2k_decode", watched)
    decode(dicom_of(before + box(b"xml ", b"<a/>") + box(b"jp2c", codestream)))
    assert [data[:4] for data in seen] == [SIZE_MARKER]


@pytest.mark.usefixtures("no_codec")
def test_a_size_written_elsewhere_does_not_count(
    dicom_of: Callable[[bytes], bytes], boxed: tuple[bytes, bytes], crop: NDArray[np.uint8]
) -> None:
    before, codestream = boxed
    other = j2k(crop[:200])
    data = before + box(b"xml ", codestream[:60]) + box(b"jp2c", other)
    assert code_of(dicom_of(data)) == ErrorCode.CORRUPT


@pytest.mark.usefixtures("no_codec")
def test_boxes_that_lead_nowhere(
    dicom_of: Callable[[bytes], bytes],
    boxed: tuple[bytes, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, codestream = boxed
    for wrong in (
        before,
        before + struct.pack(">I4s", 4, b"xml ") + box(b"jp2c", codestream),
        before + struct.pack(">I4s", 2**31, b"xml ") + box(b"jp2c", codestream),
        before + struct.pack(">I4sQ", 1, b"xml ", 2**63) + box(b"jp2c", codestream),
        before + struct.pack(">I4s", 1, b"jp2c"),
        before + box(b"jp2c", codestream[:20]),
        b"abc" + codestream,
    ):
        assert code_of(dicom_of(wrong)) == ErrorCode.CORRUPT
    monkeypatch.setattr("dfsynth.decode.jpeg2000._MAX_BOXES", 10)
    many = before + box(b"free", b"") * 10 + box(b"jp2c", codestream)
    assert code_of(dicom_of(many)) == ErrorCode.CORRUPT


@pytest.mark.usefixtures("no_codec")
@pytest.mark.parametrize(
    ("at", "values"),
    [
        (8, (0, 256)),
        (8, (256, 0)),
        (16, (256, 0)),
        (16, (0, 300)),
        (24, (0, 256)),
        (24, (256, 0)),
        (32, (1, 0)),
        (32, (0, 1)),
    ],
)
def test_sizes_that_make_no_sense(
    dicom_of: Callable[[bytes], bytes],
    crop: NDArray[np.uint8],
    at: int,
    values: tuple[int, int],
) -> None:
    frame = bytearray(j2k(crop))
    struct.pack_into(">II", frame, at, *values)
    assert code_of(dicom_of(bytes(frame))) == ErrorCode.CORRUPT


@pytest.mark.parametrize("components", [0, 2, 5, 16384])
@pytest.mark.usefixtures("no_codec")
def test_components_are_limited(
    dicom_of: Callable[[bytes], bytes], crop: NDArray[np.uint8], components: int
) -> None:
    frame = bytearray(j2k(crop))
    struct.pack_into(">H", frame, 40, components)
    assert code_of(dicom_of(bytes(frame))) == ErrorCode.CORRUPT


@pytest.mark.usefixtures("no_codec")
def test_tiles_are_limited(dicom_of: Callable[[bytes], bytes], crop: NDArray[np.uint8]) -> None:
    frame = bytearray(j2k(crop))
    struct.pack_into(">II", frame, 24, 4, 3)
    with pytest.raises(ImageError, match="5504 JPEG 2000 tiles") as caught:
        decode(dicom_of(bytes(frame)))
    assert caught.value.code == ErrorCode.CORRUPT
    struct.pack_into(">II", frame, 24, 4, 4)
    with pytest.raises(AssertionError, match="a codec was called"):
        decode(dicom_of(bytes(frame)))


def segment(marker: bytes, body: bytes) -> bytes:
    return marker + struct.pack(">H", 2 + len(body)) + body


def coding(exponents: int, levels: int = 5) -> bytes:
    """Levels, code blocks of 64 × 64, and the same precincts at each resolution."""
    return bytes([levels, 4, 4, 0, 1]) + bytes([exponents << 4 | exponents] * (levels + 1))


def in_its_own_segment(frame: bytes, exponents: int) -> bytes:
    at = frame.index(CODING)
    return frame[:at] + segment(CODING, b"\1\0\0\1\0" + coding(exponents)) + frame[at + 14 :]


def for_one_component(frame: bytes, exponents: int) -> bytes:
    at = frame.index(TILE_PART)
    return frame[:at] + segment(CODING_OF_ONE, b"\0\1" + coding(exponents)) + frame[at:]


def for_one_tile(frame: bytes, exponents: int) -> bytes:
    at = frame.index(TILE_PART) + 12
    added = segment(CODING, b"\1\0\0\1\0" + coding(exponents))
    longer = bytearray(frame[:at] + added + frame[at:])
    (size_bytes,) = struct.unpack_from(">I", frame, at - 6)
    struct.pack_into(">I", longer, at - 6, size_bytes + len(added))
    return bytes(longer)


@pytest.mark.usefixtures("no_codec")
@pytest.mark.parametrize("claim", [in_its_own_segment, for_one_component, for_one_tile])
@pytest.mark.parametrize(("exponents", "allowed"), [(5, True), (4, True), (3, False), (1, False)])
def test_precincts_are_limited(
    dicom_of: Callable[[bytes], bytes],
    crop: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
    claim: Callable[[bytes, int], bytes],
    exponents: int,
    allowed: bool,
) -> None:
    """256 × 256 pixels in six resolutions have 342 precincts of 16 × 16, and 1365 of 8 × 8."""
    monkeypatch.setattr("dfsynth.decode.jpeg2000._MAX_PRECINCTS", 400)
    data = dicom_of(claim(j2k(crop), exponents))
    if allowed:
        with pytest.raises(AssertionError, match="a codec was called"):
            decode(data)
    else:
        with pytest.raises(ImageError, match="precincts") as caught:
            decode(data)
        assert caught.value.code == ErrorCode.CORRUPT


@pytest.mark.usefixtures("no_codec")
def test_precincts_of_all_tiles_and_components_count(
    dicom_file: DicomFile, crop: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dfsynth.decode.jpeg2000._MAX_PRECINCTS", 300)
    rgb = np.dstack([crop, 255 - crop, crop // 2])
    for frame, pixels in ((j2k(rgb), rgb), (j2k(crop), crop)):
        few = in_its_own_segment(frame, 5)
        data = dicom_file(pixels, syntax=uid.JPEG2000, frame=few)
        with pytest.raises(AssertionError, match="a codec was called"):
            decode(data)
        tiled = few[:24] + struct.pack(">II", 16, 16) + few[32:]
        data = dicom_file(pixels, syntax=uid.JPEG2000, frame=tiled)
        assert code_of(data) == ErrorCode.CORRUPT
    monkeypatch.setattr("dfsynth.decode.jpeg2000._MAX_PRECINCTS", 3 * 87 - 1)
    frame = in_its_own_segment(j2k(rgb), 5)
    assert code_of(dicom_file(rgb, syntax=uid.JPEG2000, frame=frame)) == ErrorCode.CORRUPT


@pytest.mark.usefixtures("no_codec")
@pytest.mark.parametrize("body", [b"", b"\1\0\0\1\0\5", b"\0\0\0\1\0" + bytes([33, 4, 4, 0, 1])])
def test_a_coding_style_that_makes_no_sense(
    dicom_of: Callable[[bytes], bytes], crop: NDArray[np.uint8], body: bytes
) -> None:
    frame = j2k(crop)
    at = frame.index(CODING)
    wrong = frame[:at] + segment(CODING, body) + frame[at + 14 :]
    assert code_of(dicom_of(wrong)) == ErrorCode.CORRUPT


@pytest.mark.usefixtures("no_codec")
@pytest.mark.parametrize("size_bytes", [0, 1, 12, 14, 2**32 - 1])
def test_tile_parts_that_lead_nowhere_end_the_walk(
    dicom_of: Callable[[bytes], bytes], crop: NDArray[np.uint8], size_bytes: int
) -> None:
    frame = bytearray(j2k(crop))
    struct.pack_into(">I", frame, frame.index(TILE_PART) + 6, size_bytes)
    with pytest.raises(AssertionError, match="a codec was called"):
        decode(dicom_of(bytes(frame)))


@pytest.mark.usefixtures("no_codec")
def test_segments_are_limited(
    dicom_of: Callable[[bytes], bytes], crop: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dfsynth.decode.jpeg2000.MAX_SEGMENTS", 30)
    frame = j2k(crop)
    at = frame.index(CODING)
    for count, expected in ((20, AssertionError), (30, ImageError)):
        data = dicom_of(frame[:at] + segment(b"\xff\x64", b"\0\1x") * count + frame[at:])
        with pytest.raises(expected, match=r"a codec was called|more segments than"):
            decode(data)
