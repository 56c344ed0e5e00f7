"""TIFF: four compressions, polarity, and every fault of the directory."""

import struct
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from refused_images import code_of

from dfsynth.decode import decode
from dfsynth.errors import ErrorCode, ImageError

COMPRESSIONS = [1, 5, 8, 32773]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_grey_is_kept_bit_for_bit(
    tiff_file: Callable[..., bytes],
    crop: NDArray[np.uint8],
    crop12: NDArray[np.uint16],
    compression: int,
) -> None:
    for pixels in (crop, crop12):
        image = decode(tiff_file(pixels, compression=compression))
        np.testing.assert_array_equal(image.pixels, pixels)
        assert image.pixels.dtype == pixels.dtype
        assert image.high == np.iinfo(pixels.dtype).max
        assert (image.photometric, image.pixel_mm) == ("MONOCHROME2", None)


def test_files_of_another_writer(crop: NDArray[np.uint8], crop12: NDArray[np.uint16]) -> None:
    for pixels in (crop, crop12, np.dstack([crop, crop, crop])):
        for compression in (1, 5, 32946):
            options = [cv2.IMWRITE_TIFF_COMPRESSION, compression]
            image = decode(cv2.imencode(".tif", pixels, options)[1].tobytes())
            grey = pixels if pixels.ndim == 2 else crop
            np.testing.assert_array_equal(image.pixels, grey)


def test_white_is_zero_is_inverted(
    tiff_file: Callable[..., bytes], crop: NDArray[np.uint8], crop12: NDArray[np.uint16]
) -> None:
    for pixels in (crop, crop12):
        image = decode(tiff_file(np.invert(pixels), photometric=0))
        assert image.photometric == "MONOCHROME1"
        np.testing.assert_array_equal(image.pixels, pixels)


def test_colour_and_alpha(tiff_file: Callable[..., bytes], crop: NDArray[np.uint8]) -> None:
    for planes in (3, 4):
        stack = np.dstack([crop] * 3 + [255 - crop])[..., :planes]
        image = decode(tiff_file(np.ascontiguousarray(stack), photometric=2))
        assert image.photometric == ("RGB" if planes == 3 else "RGBA")
        np.testing.assert_array_equal(image.pixels, crop)


@settings(max_examples=40, deadline=None)
@given(cut=st.floats(0, 1, exclude_max=True), compression=st.sampled_from(COMPRESSIONS))
def test_every_cut_is_found(
    tiff_file: Callable[..., bytes], crop: NDArray[np.uint8], cut: float, compression: int
) -> None:
    data = tiff_file(crop, compression=compression)
    assert code_of(data[: 4 + int(cut * (len(data) - 4))]) == ErrorCode.TRUNCATED


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("strip", [0, 1, 3])
def test_a_short_strip_is_found(
    tiff_file: Callable[..., bytes], crop: NDArray[np.uint8], compression: int, strip: int
) -> None:
    def shorten(parts: list[bytes]) -> list[bytes]:
        parts[strip] = parts[strip][: len(parts[strip]) // 2]
        return parts

    data = tiff_file(crop, compression=compression, strips=shorten)
    assert code_of(data) == ErrorCode.CORRUPT


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        ((256, 4, 1, 100_000_000), ErrorCode.TOO_LARGE),
        ((256, 4, 1, 0), ErrorCode.CORRUPT),
        ((257, 4, 1, 512), ErrorCode.CORRUPT),
        ((258, 3, 1, 12), ErrorCode.UNSUPPORTED_FORMAT),
        ((259, 3, 1, 7), ErrorCode.UNSUPPORTED_FORMAT),
        ((262, 3, 1, 5), ErrorCode.UNSUPPORTED_FORMAT),
        ((262, 3, 1, 3), ErrorCode.CORRUPT),
        ((273, 4, 2**30, 8), ErrorCode.CORRUPT),
        ((273, 2, 4, 8), ErrorCode.CORRUPT),
        ((278, 4, 1, 0), ErrorCode.CORRUPT),
        ((339, 3, 1, 3), ErrorCode.UNSUPPORTED_FORMAT),
        ((322, 4, 1, 2**31), ErrorCode.TRUNCATED),
    ],
)
def test_directories_that_lie(
    tiff_file: Callable[..., bytes],
    crop: NDArray[np.uint8],
    extra: tuple[int, int, int, int],
    code: ErrorCode,
) -> None:
    tiles = ((323, 4, 1, 2**31), (324, 4, 1, 8), (325, 4, 1, 2**31)) if extra[0] == 322 else ()
    found = code_of(tiff_file(crop, extra=(extra, *tiles)))
    assert found in (code, ErrorCode.TOO_LARGE if tiles else code)


@pytest.mark.usefixtures("no_codec")
@pytest.mark.parametrize("tag", [32997, 32998])
def test_layers_in_depth_reach_no_codec(
    tiff_file: Callable[..., bytes], crop: NDArray[np.uint8], tag: int
) -> None:
    """The decoder would reserve memory for each layer that the directory claims."""
    data = tiff_file(crop, extra=[(tag, 4, 1, 3)])
    assert code_of(data) == ErrorCode.UNSUPPORTED_FORMAT


@pytest.mark.usefixtures("no_codec")
def test_a_tile_larger_than_the_limit_reaches_no_codec(
    tiff_file: Callable[..., bytes], crop: NDArray[np.uint8]
) -> None:
    tiles = [(322, 4, 1, 20_000), (323, 4, 1, 20_000), (324, 4, 1, 8), (325, 4, 1, crop.size)]
    assert code_of(tiff_file(crop, extra=tiles)) == ErrorCode.TOO_LARGE


@pytest.mark.usefixtures("no_codec")
@pytest.mark.parametrize("side", [1, 16, 128])
def test_more_tiles_than_the_directory_lists_reach_no_codec(
    tiff_file: Callable[..., bytes], crop: NDArray[np.uint8], side: int
) -> None:
    tiles = [(322, 4, 1, side), (323, 4, 1, side), (324, 4, 1, 8), (325, 4, 1, side**2)]
    assert code_of(tiff_file(crop, extra=tiles)) == ErrorCode.CORRUPT


def test_one_layer_in_depth_is_no_fault(
    tiff_file: Callable[..., bytes], crop: NDArray[np.uint8]
) -> None:
    data = tiff_file(crop, extra=[(32997, 4, 1, 1)])
    np.testing.assert_array_equal(decode(data).pixels, crop)


def two_pages(first: bytes, second: bytes) -> bytes:
    """The pages of two little-endian files in one; offsets of the second are moved along."""
    (directory,) = struct.unpack_from("<I", second, 4)
    (count,) = struct.unpack_from("<H", second, directory)
    moved = bytearray(second)
    at, table = len(first), {}
    for place in range(directory + 2, directory + 2 + 12 * count, 12):
        tag, kind, length, value = struct.unpack_from("<HHII", second, place)
        table[tag] = (place, length, value)
        if length * {3: 2, 4: 4}[kind] > 4:
            struct.pack_into("<I", moved, place + 8, value + at)
    place, strips, value = table[273]
    spots = [value + 4 * i for i in range(strips)] if strips > 1 else [place + 8]
    for spot in spots:
        struct.pack_into("<I", moved, spot, struct.unpack_from("<I", second, spot)[0] + at)
    (start,) = struct.unpack_from("<I", first, 4)
    (entries,) = struct.unpack_from("<H", first, start)
    end = start + 2 + 12 * entries
    joined = first[:end] + struct.pack("<I", at + directory) + first[end + 4 :]
    return joined + bytes(moved)


THUMBNAIL, MASK, PAGE_OF_MANY = (254, 4, 1, 1), (254, 4, 1, 4), (254, 4, 1, 2)
OLD_THUMBNAIL, OLD_FULL = (255, 3, 1, 2), (255, 3, 1, 1)


@pytest.mark.parametrize("kind", [THUMBNAIL, MASK, OLD_THUMBNAIL, (254, 3, 1, 1), (254, 4, 1, 5)])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_smaller_copy_or_a_mask_is_no_second_image(
    tiff_file: Callable[..., bytes],
    crop12: NDArray[np.uint16],
    kind: tuple[int, int, int, int],
    compression: int,
) -> None:
    full = tiff_file(crop12, compression=compression)
    small = np.ascontiguousarray(crop12[::4, ::4])
    copy = tiff_file(small, compression=compression, extra=[kind])
    for data in (two_pages(full, copy), two_pages(copy, full)):
        np.testing.assert_array_equal(decode(data).pixels, crop12)
    np.testing.assert_array_equal(decode(copy).pixels, small)
    assert code_of(two_pages(copy, copy)) == ErrorCode.MULTI_FRAME


@pytest.mark.parametrize("kind", [PAGE_OF_MANY, OLD_FULL, (254, 4, 1, 0), (270, 4, 1, 1)])
def test_two_pages(
    tiff_file: Callable[..., bytes], crop: NDArray[np.uint8], kind: tuple[int, int, int, int]
) -> None:
    data = two_pages(tiff_file(crop), tiff_file(crop, extra=[kind]))
    assert code_of(data) == ErrorCode.MULTI_FRAME


def test_pages_that_lead_back(tiff_file: Callable[..., bytes], crop: NDArray[np.uint8]) -> None:
    data = tiff_file(crop, extra=[THUMBNAIL])
    (start,) = struct.unpack_from("<I", data, 4)
    assert code_of(data[:-4] + struct.pack("<I", start)) == ErrorCode.CORRUPT
    assert code_of(tiff_file(crop, next_page=len(data) + 999)) == ErrorCode.TRUNCATED
    assert code_of(data[:4] + bytes(4) + data[8:]) == ErrorCode.CORRUPT


def without(data: bytes, tag: int) -> bytes:
    """The same file whose directory calls the entry by a private number."""
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    places = range(start + 2, start + 2 + 12 * count, 12)
    entries = [data[place : place + 12] for place in places]
    kept = sorted(
        (struct.pack("<H", 65000) + e[2:] if e[:2] == struct.pack("<H", tag) else e)
        for e in entries
    )
    kept.sort(key=lambda e: struct.unpack_from("<H", e)[0])
    return data[: start + 2] + b"".join(kept) + data[start + 2 + 12 * count :]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_lone_strip_may_leave_its_byte_count_out(
    tiff_file: Callable[..., bytes], crop12: NDArray[np.uint16], compression: int
) -> None:
    data = tiff_file(crop12, compression=compression, rows=256)
    for found in (
        without(data, 279),
        tiff_file(crop12, compression=compression, rows=256, extra=[(279, 4, 1, 0)]),
    ):
        np.testing.assert_array_equal(decode(found).pixels, crop12)


def test_many_strips_may_not(tiff_file: Callable[..., bytes], crop: NDArray[np.uint8]) -> None:
    with pytest.raises(ImageError, match=r"4 offsets and 0 byte counts .* asks for 4 of each"):
        decode(without(tiff_file(crop), 279))


def test_constant(tiff_file: Callable[..., bytes]) -> None:
    assert code_of(tiff_file(np.full((128, 64), 9, np.uint8))) == ErrorCode.CONSTANT
