"""A cut or a changed byte gives an image or one known error in our own words, and nothing else.

Streams of JPEG-LS, JPEG 2000 and lossless JPEG are cut elsewhere, and not changed inside: their
decoders are the least hardened, and no test may stumble on input that ends a process.
"""

import ast
import re
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest
from codestreams import run_lengths
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom import uid

import dfsynth.decode
from dfsynth.decode import DecodeLimits, decode
from dfsynth.errors import ErrorCode, ImageError

LIMITS = DecodeLimits(max_pixels=100_000, max_bytes=1_000_000)
IDENTITY = b"Doe^Jane of Nowhere"
NUMBER = b"19471124"
DICOM = {
    "implicit": uid.ImplicitVRLittleEndian,
    "explicit": uid.ExplicitVRLittleEndian,
    "big-endian": uid.ExplicitVRBigEndian,
    "deflated": uid.DeflatedExplicitVRLittleEndian,
}
COMPRESSIONS = {"plain": 1, "LZW": 5, "Deflate": 8, "PackBits": 32773}
KINDS = (
    *("PNG", "PNG of 16 bits", "JPEG", "JPEG in colour", "progressive JPEG", "JPEG of 12 bits"),
    *(f"TIFF, {name}" for name in COMPRESSIONS),
    *(f"DICOM, {name}" for name in (*DICOM, "run lengths", "JPEG")),
)
DECODING_CODES = frozenset(ErrorCode) - {
    *(ErrorCode.MISSING, ErrorCode.UNREADABLE, ErrorCode.NOT_A_CHEST),
    *(ErrorCode.TIMEOUT, ErrorCode.INTERNAL),
}


def png(pixels: NDArray[np.generic]) -> bytes:
    data = bytes(imagecodecs.png_encode(pixels))
    note = b"tEXtAuthor\0" + IDENTITY + NUMBER
    at = data.index(b"IDAT") - 4
    chunk = struct.pack(">I", len(note) - 4) + note + struct.pack(">I", zlib.crc32(note))
    return data[:at] + chunk + data[at:]


def jpeg(data: bytes) -> bytes:
    note = IDENTITY + NUMBER
    return data[:2] + b"\xff\xfe" + struct.pack(">H", len(note) + 2) + note + data[2:]


def tiff(data: bytes) -> bytes:
    """With a description behind the directory; `data` has room for one entry in it."""
    note = IDENTITY + NUMBER + b"\0"
    entry = struct.pack("<HHII", 270, 2, len(note), len(data))
    room = struct.pack("<HHII", 270, 4, 1, 0)
    return data.replace(room, entry) + note


@pytest.fixture(scope="session")
def files(
    crop: NDArray[np.uint8],
    dicom_file: Callable[..., bytes],
    tiff_file: Callable[..., bytes],
) -> Mapping[str, bytes]:
    """A real image of 16 × 16 pixels in each kind, with a patient's name and number beside it."""
    grey = np.ascontiguousarray(crop[::16, ::16])
    deep = grey.astype(np.uint16) * 16
    colour = np.dstack([grey, 255 - grey, grey // 2])
    progressive = cv2.imencode(".jpg", colour, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    elements = {
        **{"PatientID": NUMBER.decode(), "RescaleSlope": 2, "RescaleIntercept": -100},
        **{"WindowCenter": 4000, "WindowWidth": 6000, "PixelSpacing": ["0.2", "0.2"]},
    }
    return {
        "PNG": png(grey),
        "PNG of 16 bits": png(deep),
        "JPEG": jpeg(bytes(imagecodecs.jpeg8_encode(grey))),
        "JPEG in colour": jpeg(bytes(imagecodecs.jpeg8_encode(colour))),
        "progressive JPEG": jpeg(progressive),
        "JPEG of 12 bits": jpeg(bytes(imagecodecs.jpeg8_encode(deep, bitspersample=12))),
        **{
            f"TIFF, {name}": tiff(
                tiff_file(deep, compression=compression, rows=5, extra=[(270, 4, 1, 0)])
            )
            for name, compression in COMPRESSIONS.items()
        },
        **{
            f"DICOM, {name}": dicom_file(deep, bits=12, syntax=syntax, **elements)
            for name, syntax in DICOM.items()
        },
        "DICOM, run lengths": dicom_file(
            grey, syntax=uid.RLELossless, frame=run_lengths(grey), **elements
        ),
        "DICOM, JPEG": dicom_file(
            grey, syntax=uid.JPEGBaseline8Bit, frame=imagecodecs.jpeg8_encode(grey), **elements
        ),
    }


@cache
def own_words() -> frozenset[str]:
    """Every word that stands in a text of the package's code."""
    texts: list[str] = []
    for path in Path(dfsynth.decode.__path__[0]).glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        texts += [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documented
        ]
    return frozenset(word for text in texts for word in words(text))


def words(sentence: str) -> list[str]:
    """Runs of letters, but for those in the number of a DICOM element."""
    return re.findall(r"[^\W\d_]+", re.sub(r"\b[0-9A-F]{4},[0-9A-F]{4}\b", "", sentence))


def assert_image_or_known_error(data: bytes) -> None:
    try:
        image = decode(data, LIMITS)
    except ImageError as error:
        failed: ImageError | None = error
    else:
        failed = None
    if failed is None:
        assert image.pixels.ndim == 2
        assert 0 < image.pixels.size <= LIMITS.max_pixels
        assert image.pixels.dtype in (np.uint8, np.uint16, np.float32)
        assert np.isfinite(image.pixels).all()
        return
    sentence = str(failed)
    assert failed.code in DECODING_CODES
    assert set(words(sentence)) <= own_words(), sentence
    assert NUMBER.decode() not in sentence
    assert ";" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("kind", KINDS)
def test_undamaged_files_are_read_and_name_a_patient(files: Mapping[str, bytes], kind: str) -> None:
    assert decode(files[kind], LIMITS).pixels.shape == (16, 16)
    inflated = files[kind]
    if kind == "DICOM, deflated":
        start = 144 + struct.unpack_from("<I", inflated, 140)[0]
        inflated = zlib.decompress(inflated[start:], -zlib.MAX_WBITS)
    assert IDENTITY in inflated
    assert NUMBER in inflated


def test_a_name_is_none_of_our_own_words() -> None:
    assert not {"Doe", "Jane", "Nowhere"} & own_words()
    assert {"truncated", "file", "expected"} & own_words()


@settings(max_examples=300, deadline=None, derandomize=True)
@given(kind=st.sampled_from(KINDS), cut=st.floats(0, 1, exclude_max=True))
def test_files_cut_anywhere(files: Mapping[str, bytes], kind: str, cut: float) -> None:
    data = files[kind]
    assert_image_or_known_error(data[: int(cut * len(data))])


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(KINDS),
    where=st.floats(0, 1, exclude_max=True),
    change=st.integers(1, 255),
)
def test_files_with_one_changed_byte(
    files: Mapping[str, bytes], kind: str, where: float, change: int
) -> None:
    data = bytearray(files[kind])
    data[int(where * len(data))] ^= change
    assert_image_or_known_error(bytes(data))
