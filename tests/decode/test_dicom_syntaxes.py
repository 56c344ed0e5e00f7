"""DICOM: real pixels in every transfer syntax come back; what lies or lacks is an error."""

import struct
from collections.abc import Callable

import imagecodecs
import numpy as np
import pydicom
import pytest
from codestreams import Pixels, j2k, jpeg_ls, lossless_jpeg, run_lengths
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from refused_images import code_of

from dfsynth.decode import decode
from dfsynth.errors import ErrorCode

Encoder = Callable[[Pixels, int], bytes]


LOSSLESS: dict[str, Encoder] = {
    uid.RLELossless: lambda pixels, _: run_lengths(pixels),
    uid.JPEGLossless: lossless_jpeg,
    uid.JPEGLosslessSV1: lossless_jpeg,
    uid.JPEGLSLossless: lambda pixels, _: jpeg_ls(pixels),
    uid.JPEG2000Lossless: j2k,
    uid.JPEG2000: j2k,
    uid.HTJ2KLossless: lambda pixels, _: bytes(imagecodecs.htj2k_encode(pixels)),
    uid.HTJ2K: lambda pixels, _: bytes(imagecodecs.htj2k_encode(pixels)),
}
NATIVE = [
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
]


@pytest.mark.parametrize("syntax", NATIVE, ids=lambda syntax: syntax.name)
def test_native_pixels_are_kept(
    dicom_file: Callable[..., bytes],
    crop: NDArray[np.uint8],
    crop12: NDArray[np.uint16],
    syntax: uid.UID,
) -> None:
    for pixels, bits in ((crop, 8), (crop12, 12)):
        stored: Pixels = pixels
        if syntax == uid.ExplicitVRBigEndian:
            words = pixels.view(np.uint16) if bits == 8 else pixels
            stored = words.byteswap().view(pixels.dtype).reshape(pixels.shape)
        image = decode(dicom_file(stored, bits=bits, syntax=syntax))
        assert image.pixels.dtype == pixels.dtype
        assert (image.low, image.high, image.bits) == (0, 2**bits - 1, bits)
        np.testing.assert_array_equal(image.pixels, pixels)


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("kind", ["8", "12", "signed"])
def test_lossless_syntaxes_are_bit_for_bit(
    dicom_file: Callable[..., bytes],
    crop: NDArray[np.uint8],
    crop12: NDArray[np.uint16],
    syntax: uid.UID,
    kind: str,
) -> None:
    cases: dict[str, tuple[Pixels, int]] = {
        "8": (crop, 8),
        "12": (crop12, 12),
        "signed": (crop12.astype(np.int16) - 2048, 16),
    }
    pixels, bits = cases[kind]
    frame = LOSSLESS[syntax](pixels, bits)
    image = decode(dicom_file(pixels, bits=bits, syntax=syntax, frame=frame))
    np.testing.assert_array_equal(image.pixels, pixels)
    if kind == "signed":
        assert image.pixels.dtype == np.float32
        assert (image.low, image.high) == (-32768, 32767)
    else:
        assert (image.low, image.high) == (0, 2**bits - 1)


def test_lossy_syntaxes_are_close(
    dicom_file: Callable[..., bytes], crop: NDArray[np.uint8], crop12: NDArray[np.uint16]
) -> None:
    for pixels, bits, syntax, frame, tolerance in (
        (crop, 8, uid.JPEGBaseline8Bit, imagecodecs.jpeg8_encode(crop, level=95), 8),
        (
            crop12,
            12,
            uid.JPEGExtended12Bit,
            imagecodecs.jpeg8_encode(crop12, level=98, bitspersample=12),
            40,
        ),
        (crop12, 12, uid.JPEGLSNearLossless, imagecodecs.jpegls_encode(crop12, level=3), 3),
        (crop, 8, uid.JPEG2000, imagecodecs.jpeg2k_encode(crop, level=45), 8),
    ):
        image = decode(dicom_file(pixels, bits=bits, syntax=syntax, frame=frame))
        assert image.high == 2**bits - 1
        assert np.abs(image.pixels.astype(int) - pixels).max() <= tolerance


def test_lossy_overshoot_does_not_turn_white_black(dicom_file: Callable[..., bytes]) -> None:
    ramp = np.linspace(0, 1060, 65536).astype(np.uint16).reshape(256, 256)
    frame = imagecodecs.jpegls_encode(ramp)
    image = decode(dicom_file(ramp, bits=10, syntax=uid.JPEGLSNearLossless, frame=frame))
    np.testing.assert_array_equal(image.pixels, np.minimum(ramp, 1023))


def test_bits_outside_the_stored_ones_are_cut_off(
    dicom_file: Callable[..., bytes], crop12: NDArray[np.uint16]
) -> None:
    overlay = crop12 | (0b1010 << 12)
    np.testing.assert_array_equal(decode(dicom_file(overlay, bits=12)).pixels, crop12)
    np.testing.assert_array_equal(
        decode(dicom_file(crop12 << 4, bits=12, HighBit=15)).pixels, crop12
    )
    signed = (crop12.astype(np.int16) - 2048) & 0x0FFF
    image = decode(dicom_file(signed.astype(np.int16), bits=12))
    np.testing.assert_array_equal(image.pixels, crop12.astype(np.float32) - 2048)
    assert (image.low, image.high) == (-2048, 2047)


def test_a_sign_that_only_the_codestream_knows(
    dicom_file: Callable[..., bytes], crop12: NDArray[np.uint16]
) -> None:
    pixels = crop12.astype(np.int16) - 2048
    frame = j2k(pixels, 16)
    image = decode(
        dicom_file(pixels, syntax=uid.JPEG2000Lossless, frame=frame, PixelRepresentation=0)
    )
    np.testing.assert_array_equal(image.pixels, pixels)


def test_fragments_are_put_together(
    dicom_data_set: Callable[..., Dataset],
    crop: NDArray[np.uint8],
    dicom_file: Callable[..., bytes],
) -> None:
    frame = jpeg_ls(crop)
    data = dicom_file(
        crop,
        syntax=uid.JPEGLSLossless,
        frame=frame,
        PixelData=encapsulate([frame], fragments_per_frame=5),
    )
    np.testing.assert_array_equal(decode(data).pixels, crop)


def test_without_preamble_and_meta_header(
    dicom_file: Callable[..., bytes], crop: NDArray[np.uint8]
) -> None:
    data = dicom_file(crop)
    np.testing.assert_array_equal(decode(data[132:]).pixels, crop)
    bare = data[data.index(b"\x08\0\x16\0UI") :]
    np.testing.assert_array_equal(decode(bare).pixels, crop)
    implicit = dicom_file(crop, syntax=uid.ImplicitVRLittleEndian)
    bare = implicit[implicit.index(b"\x08\0\x16\0\x1a\0\0\0") :]
    np.testing.assert_array_equal(decode(bare).pixels, crop)


def test_a_meta_header_that_names_the_wrong_vr(
    dicom_file: Callable[..., bytes], crop: NDArray[np.uint8]
) -> None:
    implicit = b"1.2.840.10008.1.2\0"
    explicit = dicom_file(crop, syntax=uid.ExplicitVRLittleEndian)
    found = explicit.index(b"\x02\0\x10\0UI")
    renamed = (
        explicit[:found]
        + b"\x02\0\x10\0UI"
        + struct.pack("<H", len(implicit))
        + implicit
        + explicit[found + 8 + 20 :]
    )
    np.testing.assert_array_equal(decode(renamed).pixels, crop)


def test_sequences_of_undefined_length_are_stepped_over(
    dicom_file: Callable[..., bytes], crop: NDArray[np.uint8]
) -> None:
    inner = Dataset()
    inner.CodeMeaning = "inner"
    outer = Dataset()
    outer.ConceptCodeSequence = [inner, inner]
    outer["ConceptCodeSequence"].is_undefined_length = True
    outer.is_undefined_length_sequence_item = True
    sequence = pydicom.Sequence([outer])
    for syntax in NATIVE[:2]:
        data_set = pydicom.DataElement("AnatomicRegionSequence", "SQ", sequence)
        data_set.is_undefined_length = True
        data = dicom_file(crop, syntax=syntax, AnatomicRegionSequence=sequence)
        np.testing.assert_array_equal(decode(data).pixels, crop)


@settings(max_examples=80, deadline=None)
@given(cut=st.floats(0, 1, exclude_max=True), index=st.integers(0, len(LOSSLESS) + 2))
def test_every_cut_of_the_file_is_found(
    dicom_file: Callable[..., bytes], crop: NDArray[np.uint8], cut: float, index: int
) -> None:
    syntax = [*LOSSLESS, *NATIVE][index]
    frame = LOSSLESS[syntax](crop, 8) if syntax in LOSSLESS else None
    data = dicom_file(crop, syntax=syntax, frame=frame)
    kept = data[: 132 + int(cut * (len(data) - 132))]
    assert code_of(kept) in (ErrorCode.TRUNCATED, ErrorCode.NO_PIXELS)


@settings(max_examples=80, deadline=None)
@given(cut=st.floats(0, 0.97), syntax=st.sampled_from(sorted(LOSSLESS)))
def test_every_cut_of_the_frame_is_found(
    dicom_file: Callable[..., bytes], crop: NDArray[np.uint8], cut: float, syntax: str
) -> None:
    frame = LOSSLESS[syntax](crop, 8)
    data = dicom_file(crop, syntax=syntax, frame=frame[: int(cut * len(frame))] + b"\0")
    assert code_of(data) in (ErrorCode.TRUNCATED, ErrorCode.CORRUPT)


@pytest.mark.parametrize("start", [0, 60, 64, 5_458_216, 2**32 - 1])
def test_run_lengths_stay_inside_of_their_data(
    dicom_file: Callable[..., bytes], crop12: NDArray[np.uint16], start: int
) -> None:
    frame = bytearray(run_lengths(crop12))
    struct.pack_into("<I", frame, 8, start)
    data = dicom_file(crop12, bits=12, syntax=uid.RLELossless, frame=bytes(frame))
    assert code_of(data) == ErrorCode.CORRUPT
    for size_bytes in (2, 10, 64):
        data = dicom_file(crop12, syntax=uid.RLELossless, frame=bytes(frame[:size_bytes]))
        assert code_of(data) == ErrorCode.CORRUPT


@settings(max_examples=40, deadline=None)
@given(cut=st.floats(0, 0.995), predictor=st.integers(1, 7))
def test_a_lossless_frame_cut_and_ended_is_found(
    dicom_file: Callable[..., bytes], crop: NDArray[np.uint8], cut: float, predictor: int
) -> None:
    frame = imagecodecs.jpeg8_encode(crop, lossless=True, predictor=predictor)
    start = frame.index(b"\xff\xda") + 14
    kept = frame[: start + int(cut * (len(frame) - start))] + b"\xff\xd9"
    data = dicom_file(crop, syntax=uid.JPEGLossless, frame=kept)
    assert code_of(data) == ErrorCode.TRUNCATED


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: syntax.name)
def test_a_frame_of_another_size_is_corrupt(
    dicom_file: Callable[..., bytes], crop: NDArray[np.uint8], syntax: uid.UID
) -> None:
    frame = LOSSLESS[syntax](crop[:200], 8)
    assert code_of(dicom_file(crop, syntax=syntax, frame=frame)) == ErrorCode.CORRUPT


@pytest.mark.parametrize(
    ("elements", "code"),
    [
        ({"PixelData": None}, ErrorCode.NO_PIXELS),
        ({"NumberOfFrames": 2}, ErrorCode.MULTI_FRAME),
        ({"NumberOfFrames": "1"}, None),
        ({"BitsStored": 17}, ErrorCode.CORRUPT),
        ({"HighBit": 3}, ErrorCode.CORRUPT),
        ({"SamplesPerPixel": 3}, ErrorCode.CORRUPT),
        ({"PhotometricInterpretation": "CMYK"}, ErrorCode.UNSUPPORTED_FORMAT),
        ({"BitsAllocated": 32}, ErrorCode.UNSUPPORTED_FORMAT),
        ({"BitsAllocated": 1}, ErrorCode.UNSUPPORTED_FORMAT),
        ({"Rows": None}, ErrorCode.CORRUPT),
        ({"RescaleSlope": "1", "RescaleIntercept": None}, None),
    ],
)
def test_headers(
    dicom_file: Callable[..., bytes],
    crop: NDArray[np.uint8],
    elements: dict[str, object],
    code: ErrorCode | None,
) -> None:
    elements = {k: v for k, v in elements.items() if v is not None or k in ("PixelData", "Rows")}
    data = dicom_file(crop, **elements)
    if code is None:
        np.testing.assert_array_equal(decode(data).pixels, crop)
    else:
        assert code_of(data) == code


@pytest.mark.parametrize("syntax", [uid.MPEG2MPML, "1.2.840.10008.1.2.4.110", "1.2.3.4.5"])
def test_other_syntaxes_are_named(
    dicom_file: Callable[..., bytes], crop: NDArray[np.uint8], syntax: str
) -> None:
    data = dicom_file(crop, syntax=uid.JPEGLSLossless, frame=imagecodecs.jpegls_encode(crop))
    old = str(uid.JPEGLSLossless).encode()
    new = (str(syntax).encode() + bytes(len(old)))[: len(old)]
    assert code_of(data.replace(old, new)) == ErrorCode.UNSUPPORTED_TRANSFER_SYNTAX


def test_colour(dicom_file: Callable[..., bytes], crop: NDArray[np.uint8]) -> None:
    rgb = np.dstack([crop, crop, crop])
    planes = np.ascontiguousarray(np.moveaxis(rgb, -1, 0))
    ybr = np.dstack([crop, np.full_like(crop, 90), np.full_like(crop, 200)])
    for data in (
        dicom_file(rgb),
        dicom_file(rgb, PixelData=planes.tobytes(), PlanarConfiguration=1),
        dicom_file(ybr, PhotometricInterpretation="YBR_FULL"),
        dicom_file(rgb, syntax=uid.JPEGLSLossless, frame=imagecodecs.jpegls_encode(rgb)),
        dicom_file(
            rgb,
            syntax=uid.JPEG2000Lossless,
            frame=imagecodecs.jpeg2k_encode(rgb, level=0, reversible=True, codecformat="j2k"),
            PhotometricInterpretation="YBR_RCT",
        ),
    ):
        np.testing.assert_array_equal(decode(data).pixels, crop)
    lossy = dicom_file(
        rgb,
        syntax=uid.JPEGBaseline8Bit,
        frame=imagecodecs.jpeg8_encode(rgb, level=95),
        PhotometricInterpretation="YBR_FULL_422",
    )
    assert np.abs(decode(lossy).pixels.astype(int) - crop).max() <= 8
