"""PNG: every kind gives the grey image; every fault is an error, never half an image."""

import gc
import struct
import sys
import zlib

import cv2
import imagecodecs
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from refused_images import code_of

from dfsynth.decode import decode
from dfsynth.errors import ErrorCode


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of(head: bytes, *between: bytes) -> bytes:
    parts = [chunk(b"IHDR", head), *between, chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *between: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return png_of(head, *between, chunk(b"IDAT", zlib.compress(rows)))


def encoded(pixels: NDArray[np.generic]) -> bytes:
    return bytes(imagecodecs.png_encode(pixels))


def interlaced_rows(pixels: NDArray[np.uint8]) -> bytes:
    """The seven passes of Adam7, unfiltered."""
    rows = b""
    for left, top, across, down in (
        *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
        *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
    ):
        part = pixels[top::down, left::across]
        rows += b"".join(b"\0" + row.tobytes() for row in part if part.shape[1])
    return rows


def test_grey_8_and_16_bits_are_kept_bit_for_bit(
    crop: NDArray[np.uint8], crop12: NDArray[np.uint16]
) -> None:
    small = decode(encoded(crop))
    assert small.pixels.dtype == np.uint8
    assert (small.low, small.high, small.bits, small.pixel_mm) == (0, 255, 8, None)
    assert small.photometric == "MONOCHROME2"
    np.testing.assert_array_equal(small.pixels, crop)
    large = decode(encoded(crop12))
    assert large.pixels.dtype == np.uint16
    assert (large.low, large.high, large.bits) == (0, 65535, 16)
    np.testing.assert_array_equal(large.pixels, crop12)


@pytest.mark.parametrize("scale", [1, 257])
def test_grey_copies_in_colour_equal_the_grey(crop: NDArray[np.uint8], scale: int) -> None:
    grey = crop if scale == 1 else crop.astype(np.uint16) * scale
    alpha = np.full_like(grey, 7)
    for planes, name in (
        ((grey, alpha), "GREY_ALPHA"),
        ((grey, grey, grey), "RGB"),
        ((grey, grey, grey, alpha), "RGBA"),
    ):
        image = decode(encoded(np.dstack(planes)))
        assert image.photometric == name
        np.testing.assert_array_equal(image.pixels, grey)


def test_colour_becomes_luma(crop: NDArray[np.uint8]) -> None:
    rgb = np.dstack([crop, 255 - crop, crop // 2])
    luma = rgb @ np.array([0.299, 0.587, 0.114])
    image = decode(encoded(rgb))
    assert np.abs(image.pixels - luma).max() <= 1


@pytest.mark.parametrize(("depth", "row"), [(1, b"\0\x50"), (2, b"\0\x1b"), (4, b"\0\x05\xaf")])
def test_few_bits_fill_the_range(depth: int, row: bytes) -> None:
    image = decode(png(4, 2, depth, 0, row * 2))
    assert (image.bits, image.high) == (depth, 255)
    values = {1: [0, 255, 0, 255], 2: [0, 85, 170, 255], 4: [0, 85, 170, 255]}[depth]
    np.testing.assert_array_equal(image.pixels, [values, values])


def test_palette_and_its_transparency() -> None:
    palette = chunk(b"PLTE", bytes([10, 10, 10, 200, 200, 200]))
    clear = chunk(b"tRNS", b"\0\0")
    image = decode(png(2, 2, 8, 3, b"\0\0\1\0\1\0", palette, clear))
    assert image.photometric == "PALETTE"
    np.testing.assert_array_equal(image.pixels, [[10, 200], [200, 10]])


def test_ancillary_chunks_neither_matter_nor_make_noise(
    crop: NDArray[np.uint8], capfd: pytest.CaptureFixture[str]
) -> None:
    rows = np.hstack([np.zeros((256, 1), np.uint8), crop]).tobytes()
    note = chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(100_000)))
    odd = [chunk(b"iCCP", b"x"), chunk(b"gAMA", b""), chunk(b"sPLT", b"\0"), note]
    image = decode(png(256, 256, 8, 0, rows, *odd))
    np.testing.assert_array_equal(image.pixels, crop)
    assert capfd.readouterr() == ("", "")


@settings(max_examples=60, deadline=None)
@given(cut=st.floats(0, 1, exclude_max=True))
def test_every_cut_is_found(crop: NDArray[np.uint8], cut: float) -> None:
    data = encoded(crop)
    kept = data[: int(cut * len(data))]
    expected = {ErrorCode.TRUNCATED, ErrorCode.EMPTY if not kept else ErrorCode.TRUNCATED}
    if 0 < len(kept) < 8:
        expected = {ErrorCode.NOT_AN_IMAGE}
    assert code_of(kept) in expected


def test_the_last_byte_counts(crop: NDArray[np.uint8]) -> None:
    assert code_of(encoded(crop)[:-1]) == ErrorCode.TRUNCATED


def test_missing_rows_are_found_in_a_well_formed_file(crop: NDArray[np.uint8]) -> None:
    rows = np.hstack([np.zeros((256, 1), np.uint8), crop])
    assert code_of(png(256, 256, 8, 0, rows[:200].tobytes())) == ErrorCode.CORRUPT


@settings(max_examples=60, deadline=None)
@example(where=0.24508015636419114, flip=67)
@given(where=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_every_flipped_byte_of_the_data_is_found(
    crop: NDArray[np.uint8], where: float, flip: int
) -> None:
    data = bytearray(encoded(crop))
    start, end = data.index(b"IDAT") + 4, data.index(b"IEND") - 8
    data[start + int(where * (end - start))] ^= flip
    # A longer length of a chunk in between reaches beyond the end, as in a file cut short.
    assert code_of(bytes(data)) in (ErrorCode.CORRUPT, ErrorCode.TRUNCATED)


def test_other_faults() -> None:
    good = b"\0\0\1\0\1\0"
    assert code_of(png(0, 2, 8, 0, good)) == ErrorCode.CORRUPT
    assert code_of(png(2, 2, 8, 0, good, chunk(b"ABCD", b""))) == ErrorCode.CORRUPT
    assert code_of(png(2, 2, 3, 0, good)) == ErrorCode.CORRUPT
    animation = chunk(b"acTL", struct.pack(">II", 3, 0))
    assert code_of(png(2, 2, 8, 0, good, animation)) == ErrorCode.MULTI_FRAME
    assert code_of(png(2, 2, 8, 0, b"\0\5\5\0\5\5")) == ErrorCode.CONSTANT


@pytest.mark.parametrize("name", [b"IDAT", b"zTXt", b"eXIf", b"gAMA", b"juNK"])
@pytest.mark.parametrize("length", [100_000, 2**31 - 1])
def test_a_chunk_longer_than_the_file(name: bytes, length: int) -> None:
    data = png(2, 2, 8, 0, b"\0\0\1\0\1\0", chunk(name, b""))
    at = data.index(name) - 4
    claimed = data[:at] + struct.pack(">I", length) + data[at + 4 :]
    assert code_of(claimed) == ErrorCode.TRUNCATED


def test_a_chunk_longer_than_png_allows() -> None:
    data = png(2, 2, 8, 0, b"\0\0\1\0\1\0")
    at = data.index(b"IDAT") - 4
    assert code_of(data[:at] + b"\x80" + data[at + 1 :]) == ErrorCode.CORRUPT


@pytest.mark.parametrize(("height", "width"), [(256, 256), (1, 1), (3, 2), (1, 5), (9, 4)])
def test_interlaced_files(crop: NDArray[np.uint8], height: int, width: int) -> None:
    pixels = crop[:height, :width].copy()
    pixels[0, 0] = 255 if height * width > 1 else pixels[0, 0]
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1)
    data = png_of(head, chunk(b"IDAT", zlib.compress(interlaced_rows(pixels))))
    if pixels.size == 1:
        assert code_of(data) == ErrorCode.CONSTANT
    else:
        np.testing.assert_array_equal(decode(data).pixels, pixels)
    short = chunk(b"IDAT", zlib.compress(interlaced_rows(pixels)[:-1]))
    assert code_of(png_of(head, short)) == ErrorCode.CORRUPT


GOOD = b"\0\0\1\0\1\0"
PACKED = zlib.compress(GOOD)
SMALL = struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)
PALETTE = struct.pack(">IIBBBBB", 2, 2, 8, 3, 0, 0, 0)
COLOURS = chunk(b"PLTE", bytes([10, 10, 10, 200, 200, 200]))
PIXELS = chunk(b"IDAT", PACKED)
DAMAGED = {
    "checksum of a chunk": png_of(SMALL, PIXELS[:-4] + b"0000"),
    "checksum of the palette": png_of(PALETTE, COLOURS[:-4] + b"0000", PIXELS),
    "checksum of the pixels": png_of(SMALL, chunk(b"IDAT", PACKED[:-1] + b"0")),
    "no checksum of the pixels": png_of(SMALL, chunk(b"IDAT", PACKED[:-4])),
    "cut": png_of(SMALL, chunk(b"IDAT", PACKED[:-6])),
    "not compressed": png_of(SMALL, chunk(b"IDAT", GOOD)),
    "too large a window": png_of(SMALL, chunk(b"IDAT", b"\x88\x1c" + PACKED[2:])),
    "a row less": png_of(SMALL, chunk(b"IDAT", zlib.compress(GOOD[:3]))),
    "no pixels": png_of(SMALL),
    "no compressed bytes": png_of(SMALL, chunk(b"IDAT", b"")),
    "unknown filter": png_of(SMALL, chunk(b"IDAT", zlib.compress(b"\5" + GOOD[1:]))),
    "unknown interlacing": png_of(SMALL[:-1] + b"\2", PIXELS),
    "unknown compression": png_of(SMALL[:-3] + b"\1\0\0", PIXELS),
    "no palette": png_of(PALETTE, PIXELS),
    "palette behind pixels": png_of(PALETTE, PIXELS, COLOURS),
    "palette between pixels": png_of(PALETTE, chunk(b"IDAT", PACKED[:9]), COLOURS, PIXELS),
}


@pytest.mark.usefixtures("no_codec")
@pytest.mark.parametrize("fault", DAMAGED)
def test_damage_is_found_before_the_decoder(fault: str) -> None:
    """Which would lose the memory of a whole image with each file that it gives up half-way."""
    assert code_of(DAMAGED[fault]) == ErrorCode.CORRUPT


@pytest.mark.parametrize("size_bytes", [1, 1023, 1024, 5000])
def test_bytes_behind_the_last_row_are_no_fault(size_bytes: int) -> None:
    data = png_of(SMALL, chunk(b"IDAT", zlib.compress(GOOD + bytes(size_bytes))))
    np.testing.assert_array_equal(decode(data).pixels, [[0, 1], [1, 0]])


def test_pixels_in_many_chunks() -> None:
    parts = [chunk(b"IDAT", PACKED[i : i + 1]) for i in range(len(PACKED))]
    data = png_of(SMALL, chunk(b"IDAT", b""), *parts)
    np.testing.assert_array_equal(decode(data).pixels, [[0, 1], [1, 0]])


def test_failures_lose_no_reference(crop: NDArray[np.uint8]) -> None:
    """None itself would be freed in the end, which ends the process up to Python 3.11."""
    data = encoded(crop[:16, :16])
    gc.collect()
    before = sys.getrefcount(None)
    for at in range(data.index(b"IDAT") + 4, data.index(b"IEND") - 8):
        damaged = bytearray(data)
        damaged[at] ^= 1
        assert code_of(bytes(damaged)) == ErrorCode.CORRUPT
    gc.collect()
    assert sys.getrefcount(None) > before - 50


def test_chunks_are_limited(crop: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dfsynth.decode.png._MAX_CHUNKS", 20)
    rows = np.hstack([np.zeros((256, 1), np.uint8), crop]).tobytes()
    note = chunk(b"tEXt", b"k\0v")
    np.testing.assert_array_equal(decode(png(256, 256, 8, 0, rows, *[note] * 17)).pixels, crop)
    assert code_of(png(256, 256, 8, 0, rows, *[note] * 18)) == ErrorCode.CORRUPT


def test_agrees_with_opencv(crop: NDArray[np.uint8]) -> None:
    data = cv2.imencode(".png", crop)[1].tobytes()
    plain = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(decode(data).pixels, plain)


def test_the_decoder_writes_nothing_of_its_own(
    crop: NDArray[np.uint8], capfd: pytest.CaptureFixture[str]
) -> None:
    """Its warnings go straight to the terminal, which no option of ours can quieten."""
    interlaced = struct.pack(">IIBBBBB", 256, 256, 8, 0, 0, 0, 1)
    packed = zlib.compress(interlaced_rows(crop))
    decode(png_of(interlaced, chunk(b"IDAT", packed)))
    decode(png_of(interlaced, chunk(b"IDAT", packed + b"behind")))
    decode(png_of(SMALL, chunk(b"IDAT", PACKED + b"behind")))
    decode(png_of(SMALL, chunk(b"IDAT", zlib.compress(GOOD + bytes(50)))))
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("colour", [0, 2, 3, 4, 6])
def test_interlaced_files_of_every_kind(depth: int, colour: int) -> None:
    """Equal to the same pixels without interlacing."""
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    if depth not in {0: (1, 2, 4, 8, 16), 3: (1, 2, 4, 8)}.get(colour, (8, 16)):
        head = struct.pack(">IIBBBBB", 11, 9, depth, colour, 0, 0, 1)
        assert code_of(png_of(head, PIXELS)) == ErrorCode.CORRUPT
        return
    values = np.random.default_rng(depth).integers(0, 2**depth, (9, 11, samples))
    shades = bytes(range(0, 256, 2)) * 6 if depth == 8 else bytes(range(0, 240, 5))
    palette = [chunk(b"PLTE", shades[: 3 * 2**depth])] if colour == 3 else []

    def rows(part: NDArray[np.int64]) -> bytes:
        if depth == 16:
            return b"".join(b"\0" + row.astype(">u2").tobytes() for row in part)
        bits = (part.reshape(len(part), -1, 1) >> np.arange(depth)[::-1]) & 1
        return b"".join(b"\0" + np.packbits(row).tobytes() for row in bits.astype(np.uint8))

    starts = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
    passes = [values[top::down, left::across] for left, top, across, down in starts]
    content = b"".join(map(rows, [*passes, values[1::2]]))
    head = struct.pack(">IIBBBBB", 11, 9, depth, colour, 0, 0, 1)
    found = decode(png_of(head, *palette, chunk(b"IDAT", zlib.compress(content))))
    plain = decode(png(11, 9, depth, colour, rows(values), *palette))
    np.testing.assert_array_equal(found.pixels, plain.pixels)
    assert (found.high, found.bits) == (plain.high, plain.bits)
