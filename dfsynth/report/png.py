"""Images as PNG bytes."""

import cv2
import numpy as np
from numpy.typing import NDArray


def encode_png(rgb: NDArray[np.uint8]) -> bytes:
    """The PNG of an image (y, x, 3) RGB.

    Raises:
        ValueError: not such an array.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ValueError(f"expected uint8 (y, x, 3), found {rgb.dtype} {rgb.shape}")
    done, data = cv2.imencode(".png", np.ascontiguousarray(rgb[..., ::-1]))
    if not done:
        raise ValueError(f"an image of shape {rgb.shape} cannot be held by a PNG")
    return bytes(data.tobytes())
