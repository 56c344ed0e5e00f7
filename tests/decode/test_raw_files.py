"""Files of bare pixels, read by a layout that the corpus gives."""

import numpy as np
import pytest

from dfsynth.decode import DecodeLimits, decode_raw
from dfsynth.errors import ErrorCode, ImageError
from dfsynth.records import RawLayout

LIMITS = DecodeLimits()
VALUES = (np.arange(6 * 4).reshape(6, 4) * 170).astype(np.uint16)


@pytest.mark.parametrize("big_endian", [True, False])
@pytest.mark.parametrize("inverted", [True, False])
def test_twelve_bits(big_endian, inverted) -> None:
    data = VALUES.astype(">u2" if big_endian else "<u2").tobytes()
    image = decode_raw(data, LIMITS, RawLayout(4, 6, 12, big_endian, inverted))
    assert (image.pixels == (4095 - VALUES if inverted else VALUES)).all()
    assert image.pixels.dtype == np.uint16
    assert (image.low, image.high, image.bits, image.pixel_mm) == (0.0, 4095.0, 12, None)
    assert image.photometric == ("MONOCHROME1" if inverted else "MONOCHROME2")


def test_eight_bits_take_one_byte() -> None:
    data = (VALUES // 20).astype(np.uint8).tobytes()
    image = decode_raw(data, LIMITS, RawLayout(4, 6, 8, True, False))
    assert (image.pixels == VALUES // 20).all()


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (VALUES.astype("<u2").tobytes(), ErrorCode.CORRUPT, "more than 12 bits can say"),
        (VALUES.tobytes()[:-1], ErrorCode.TRUNCATED, "has 47 bytes; expected 48"),
        (VALUES.tobytes() + b"1", ErrorCode.CORRUPT, "has 49 bytes; expected 48"),
        (bytes(48), ErrorCode.CONSTANT, "same value"),
        (b"", ErrorCode.EMPTY, "no bytes"),
    ],
)
def test_other_files_are_refused(data, code, words) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        decode_raw(data, LIMITS, RawLayout(4, 6, 12, True, True))
    assert caught.value.code is code


def test_limits_hold() -> None:
    with pytest.raises(ImageError) as caught:
        decode_raw(VALUES.tobytes(), DecodeLimits(max_pixels=23), RawLayout(4, 6, 12, False, True))
    assert caught.value.code is ErrorCode.TOO_LARGE
