"""Images ↔ k-space, the zero frequency in the middle."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map


def to_kspace(image: NDArray[Any]) -> NDArray[np.complex64]:
    """The k-space (ky, kx) of an image (y, x): its discrete Fourier transform, of equal norm.

    The zero frequency is at (height // 2, width // 2).
    """
    found = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image), norm="ortho"))
    return found.astype(np.complex64)


def to_magnitude(kspace: NDArray[np.complexfloating]) -> Float32Map:
    """The magnitude (y, x) of the image whose k-space (ky, kx) `to_kspace` gives."""
    image = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(kspace), norm="ortho"))
    return np.abs(image).astype(np.float32)
