"""Contrast equalised over several scales, as vendors' processing does."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from dfsynth.records import Float32Map
from dfsynth.simulation.display.appearance import Appearance

_QUIET = 0.02
_LOUD = 1.0
_COARSEST_SIDE_PX = 6
_FINE_MM, _WIDE_MM = 20.0, 100.0


@dataclass(frozen=True, slots=True)
class EqualisationParameters:
    """Gains of a Laplacian pyramid (Vuylsteke and Schoeters, SPIE 2167, 1994)."""

    exponent: float
    """Of each band's amplitudes, over 0 to 1; 1 changes nothing, less lifts faint detail."""
    latitude: float
    """Factor on what is coarser than 10 cm, over 0 to 1; less and less down to 2 cm."""
    finest_mm: float
    """Bands finer than this keep their gain: there is noise rather than detail."""


_EXPONENTS: Final[dict[Appearance, tuple[float, float]]] = {
    "soft": (0.94, 1.0),
    "film": (0.97, 1.0),
    "crisp": (0.84, 0.98),
    "equalised": (0.74, 0.93),
    "bedside": (0.8, 1.0),
}
_LATITUDES: Final[dict[Appearance, tuple[float, float]]] = {
    "soft": (0.7, 1.0),
    "film": (0.9, 1.0),
    "crisp": (0.5, 0.85),
    "equalised": (0.15, 0.45),
    "bedside": (0.5, 0.95),
}


def draw_equalisation(appearance: Appearance, rng: np.random.Generator) -> EqualisationParameters:
    """From hardly any to strong [assumed, so that detail has the contrast measured in archives]."""
    return EqualisationParameters(
        exponent=float(rng.uniform(*_EXPONENTS[appearance])),
        latitude=float(rng.uniform(*_LATITUDES[appearance])),
        finest_mm=float(rng.uniform(0.5, 2.0)),
    )


def equalise(
    density: Float32Map, pixel_mm: float, parameters: EqualisationParameters
) -> Float32Map:
    """`density` (y, x), in units of −ln T, with each band's amplitudes compressed.

    A coefficient c becomes c · ((c² + 0.02²) ** ((exponent − 1) / 2)): amplitudes near 1 stay,
    fainter ones grow, up to a bound. Edges of the body overshoot, as they do in archives.
    """
    bands = []
    rest: Float32Map = density
    while min(rest.shape) >= 2 * _COARSEST_SIDE_PX:
        smaller = np.asarray(cv2.pyrDown(rest), np.float32)
        bands.append(rest - cv2.pyrUp(smaller, dstsize=rest.shape[::-1]))
        rest = smaller
    middle = np.float32(rest.mean())
    image = middle + np.float32(_width_gain(pixel_mm * 2 ** len(bands), parameters)) * (
        rest - middle
    )
    for level in reversed(range(len(bands))):
        band = bands[level]
        # Octave by octave the gain fades out below `finest_mm`.
        octaves = np.log2(pixel_mm * 2 ** (level + 1) / parameters.finest_mm)
        power = (parameters.exponent - 1) * float(np.clip(1 + octaves / 2, 0, 1))
        if power:
            loudness = np.minimum(band * band + np.float32(_QUIET**2), np.float32(_LOUD))
            band = band * cv2.pow(loudness, power / 2)
        band = band * np.float32(_width_gain(pixel_mm * 2 ** (level + 1), parameters))
        image = cv2.pyrUp(image, dstsize=band.shape[::-1]) + band
    return np.asarray(image, np.float32)


def _width_gain(width_mm: float, parameters: EqualisationParameters) -> float:
    """Gain of structures of `width_mm`: 1 below 2 cm, `latitude` above 10 cm."""
    share = np.log(width_mm / _FINE_MM) / np.log(_WIDE_MM / _FINE_MM)
    return float(parameters.latitude ** np.clip(share, 0, 1))
