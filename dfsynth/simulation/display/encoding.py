"""Grey values → stored pixels and back: bits, compression, polarity."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map

Photometric: TypeAlias = Literal["MONOCHROME1", "MONOCHROME2"]


@dataclass(frozen=True, slots=True)
class EncodingParameters:
    """How an archive keeps an image."""

    bits: int
    """8 to 16."""
    photometric: Photometric
    """MONOCHROME2 stores dense as high, MONOCHROME1 as low (DICOM PS3.3, C.7.6.3.1.2)."""
    jpeg_quality: int | None
    """1 to 100 of a past JPEG compression to 8 bits; None for none."""


def draw_encoding(rng: np.random.Generator) -> EncodingParameters:
    """8 bits in seven of ten, MONOCHROME1 in one of five, JPEG in three of ten [assumed]."""
    bits = 8 if rng.random() < 0.7 else int(rng.choice([10, 12]))
    photometric: Photometric = "MONOCHROME1" if rng.random() < 0.2 else "MONOCHROME2"
    quality = int(rng.integers(70, 98))
    return EncodingParameters(bits, photometric, quality if rng.random() < 0.3 else None)


def store_grey(image: Float32Map, parameters: EncodingParameters) -> NDArray[np.uint16]:
    """Pixels (y, x), 0 to 2^bits − 1, of grey values in [0, 1], dense bright; clips others."""
    grey = np.clip(image, 0, 1)
    if parameters.jpeg_quality is not None:
        flags = [cv2.IMWRITE_JPEG_QUALITY, parameters.jpeg_quality]
        _, packed = cv2.imencode(".jpg", np.round(grey * 255).astype(np.uint8), flags)
        unpacked = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.float32)
        grey = unpacked / np.float32(255)
    top = (1 << parameters.bits) - 1
    pixels = np.round(grey * top).astype(np.uint16)
    return np.asarray(top - pixels if parameters.photometric == "MONOCHROME1" else pixels)


def read_grey(pixels: NDArray[np.uint16], parameters: EncodingParameters) -> Float32Map:
    """Grey values in [0, 1], dense bright, of what `store_grey` gave, (y, x)."""
    top = (1 << parameters.bits) - 1
    grey = pixels.astype(np.float32) / np.float32(top)
    return np.asarray(1 - grey if parameters.photometric == "MONOCHROME1" else grey, np.float32)
