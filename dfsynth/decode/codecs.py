"""How codecs fail: on account of the data, or because the machine has no memory left.

The two must be told apart: a damaged file becomes a failed row for good, a machine without memory
ends the run, and the same command goes on later.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import cv2
import imagecodecs
import numpy as np

from dfsynth.errors import ImageError

CODEC_ERRORS: Final = (RuntimeError, ValueError, LookupError, ArithmeticError, TypeError, OSError)
"""What the codecs raise for data that they cannot decode."""

# imagecodecs loads each library at its first use, which would fail at an image for lack of memory.
for _name in ("deflate", "png", "jpeg8", "tiff", "jpeg2k", "jpegls", "dicomrle"):
    getattr(imagecodecs, f"{_name}_decode")


@contextmanager
def codec_failures(as_error: ImageError, working_bytes: int) -> Iterator[None]:
    """Around a call of a codec: its failure becomes `as_error`.

    Codecs say little of why they fail (OpenJPEG nothing, of lack of memory too), so what decoding
    takes is reserved once for a trial.

    Args:
        as_error: what is wrong with the data if the codec fails on their account.
        working_bytes: what decoding takes, as `check_size` gives it.

    Raises:
        ImageError: `as_error`.
        MemoryError: the machine has not as much memory as decoding takes.
    """
    try:
        yield
    except CODEC_ERRORS as error:
        _require_memory(working_bytes)
        raise as_error from error


@contextmanager
def opencv_failures() -> Iterator[None]:
    """Around a call of OpenCV: lack of memory, which has an error of its own there.

    Raises:
        MemoryError: OpenCV had no memory.
    """
    try:
        yield
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError("OpenCV found no memory for an image") from error
        raise


def _require_memory(size_bytes: int) -> None:
    np.empty(size_bytes, np.uint8)
