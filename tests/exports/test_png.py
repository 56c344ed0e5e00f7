"""PNG files: exact in every reader, whatever the size, the type and the numbers."""

import io
import zlib
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pytest
from exported_files import png_text
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from dfsynth.exports.png import encode_png

NUMBERS = st.sampled_from([np.uint8, np.uint16]).flatmap(
    lambda dtype: arrays.arrays(dtype, st.tuples(st.integers(1, 9), st.integers(1, 9)))
)


@given(NUMBERS)
def test_every_reader_finds_the_numbers(numbers: NDArray[Any]) -> None:
    encoded = encode_png(numbers, {})
    pixels = np.frombuffer(encoded, np.uint8)
    by_opencv = cv2.imdecode(pixels, cv2.IMREAD_UNCHANGED)
    by_libpng = imagecodecs.png_decode(encoded)
    with Image.open(io.BytesIO(encoded)) as image:
        by_pillow = np.asarray(image)
    for found in (by_opencv, by_libpng, by_pillow):
        assert found is not None
        np.testing.assert_array_equal(found, numbers)
    assert by_libpng.dtype == numbers.dtype


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_numbers_that_are_a_part_of_others_are_written_as_they_look(dtype: type) -> None:
    whole: NDArray[Any] = (
        np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (40, 60)).astype(dtype)
    )
    for part in (whole.T, whole[::-1, 3::2], whole.astype(whole.dtype.newbyteorder())):
        np.testing.assert_array_equal(imagecodecs.png_decode(encode_png(part, {})), part)


def test_texts_are_kept_and_every_chunk_has_its_checksum(tmp_path) -> None:
    texts = {"Description": "Synthetic, 45\N{DEGREE SIGN}", "other": '{"a": 1}'}
    encoded = encode_png(np.zeros((3, 5), np.uint16), texts)
    (tmp_path / "a.png").write_bytes(encoded)
    assert png_text(tmp_path / "a.png") == texts
    kinds, place = [], 8
    while place < len(encoded):
        length = int.from_bytes(encoded[place : place + 4], "big")
        body = encoded[place + 4 : place + 8 + length]
        assert zlib.crc32(body).to_bytes(4, "big") == encoded[place + 8 + length :][:4]
        kinds.append(body[:4])
        place += 12 + length
    assert kinds == [b"IHDR", b"tEXt", b"tEXt", b"IDAT", b"IEND"]


def test_smooth_numbers_are_compressed() -> None:
    y, x = np.mgrid[:256, :256]
    smooth = (10 * y + 3 * x).astype(np.uint16)
    assert len(encode_png(smooth, {})) < smooth.nbytes / 20
