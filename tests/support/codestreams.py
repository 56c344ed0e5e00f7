"""Compressed frames, as DICOM files carry them."""

import struct

import imagecodecs
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.int16]


def run_lengths(pixels: Pixels) -> bytes:
    """DICOM run-length data of (y, x) pixels: each byte of the samples in a segment of its own."""
    raw = pixels.astype(pixels.dtype.newbyteorder(">")).tobytes()
    size = pixels.dtype.itemsize
    planes = [imagecodecs.packbits_encode(raw[i::size]) for i in range(size)]
    planes = [plane + b"\0" * (len(plane) % 2) for plane in planes]
    starts = [64 + sum(map(len, planes[:i])) for i in range(size)]
    return struct.pack("<16I", size, *starts, *[0] * (15 - size)) + b"".join(planes)


def lossless_jpeg(pixels: Pixels, bits: int = 8) -> bytes:
    """Lossless JPEG of (y, x) pixels; signed ones as the bits that they have."""
    return bytes(imagecodecs.jpeg8_encode(_unsigned(pixels), lossless=True, bitspersample=bits))


def jpeg_ls(pixels: Pixels) -> bytes:
    """Lossless JPEG-LS of (y, x) pixels; signed ones as the bits that they have."""
    return bytes(imagecodecs.jpegls_encode(_unsigned(pixels)))


def j2k(pixels: Pixels, bits: int | None = None, codecformat: str = "j2k") -> bytes:
    """A lossless JPEG 2000 codestream of (y, x) or (y, x, 3) pixels; "jp2" puts boxes around it."""
    return bytes(
        imagecodecs.jpeg2k_encode(
            pixels, level=0, reversible=True, codecformat=codecformat, bitspersample=bits
        )
    )


def _unsigned(pixels: Pixels) -> NDArray[np.uint8] | NDArray[np.uint16]:
    return pixels.view(f"u{pixels.dtype.itemsize}")
