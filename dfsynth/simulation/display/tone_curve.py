"""Densities → grey values: the window that a machine finds, and its curve."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dfsynth.records import Float32Map
from dfsynth.simulation.display.appearance import Appearance

_BODY_DENSITY: Final = 0.7
_BODY_SHARE: Final = 0.02
_LUNG_PERCENTILE: Final = 20.0
_DENSE_PERCENTILE: Final = 80.0
_LEAST_ODDS: Final = 1e-4
_STRAIGHT: Final = 1e-3
_CONTRASTS: Final = (0.35, 4.0)


@dataclass(frozen=True, slots=True)
class ToneCurveParameters:
    """A window over the body's own densities, a curve, and the grey values it may use."""

    concavity: float
    """0: grey rises with −ln T; 1: it falls with T itself; in between, with a power of T."""
    low_margin: float
    """How far black lies below the body's densities, in shares of their range; may be negative."""
    high_margin: float
    """How far white lies above."""
    toe: float
    """Share of the range, at black, into which all that is darker is pressed softly."""
    shoulder: float
    """The same at white; 0 clips."""
    lung_grey: float | None
    """Grey value, 0 to 1, for the 20th percentile of the body's densities: lung, mostly."""
    dense_grey: float | None
    """The same for the 80th: mediastinum and abdomen. None of both leaves the curve alone."""
    black: float
    """Grey value of black, 0 to 1."""
    white: float
    """Grey value of white, 0 to 1."""


_LUNG_GREYS: Final[dict[Appearance, tuple[float, float]]] = {
    "soft": (0.39, 0.11),
    "film": (0.20, 0.04),
    "crisp": (0.52, 0.08),
    "equalised": (0.30, 0.08),
    "bedside": (0.41, 0.11),
}
_DENSE_GREYS: Final[dict[Appearance, tuple[float, float]]] = {
    "soft": (0.74, 0.06),
    "film": (0.78, 0.05),
    "crisp": (0.86, 0.03),
    "equalised": (0.62, 0.06),
    "bedside": (0.75, 0.06),
}
"""Mean and standard deviation, measured in four archives, each in its own appearance."""


def draw_tone_curve(appearance: Appearance, rng: np.random.Generator) -> ToneCurveParameters:
    """Draws a machine's tone curve; greys as measured in archives, the rest [assumed].

    One in ten uses a third of the grey values only, as raw exports do; in three of ten, open air
    is not black.
    """
    concavity = float(rng.uniform(0.05, 0.5) if appearance == "film" else rng.uniform(0.1, 0.8))
    # Against light, a margin is far wider than against its logarithm.
    margins = (1 - 0.75 * concavity) * rng.uniform(0.2, 0.8), rng.uniform(0.1, 0.5)
    ends = rng.uniform(0.08, 0.3), rng.uniform(0.1, 0.3)
    lung = float(np.clip(rng.normal(*_LUNG_GREYS[appearance]), 0.12, 0.72))
    dense = float(np.clip(rng.normal(*_DENSE_GREYS[appearance]), lung + 0.15, 0.97))
    narrow, grey_air = rng.random(2) < (0.1, 0.0 if appearance == "film" else 0.35)
    black, span = float(rng.uniform(0.03, 0.25)), float(rng.uniform(0.25, 0.5))
    return ToneCurveParameters(
        concavity=concavity,
        low_margin=float(margins[0]),
        high_margin=float(margins[1]),
        toe=float(ends[0]),
        shoulder=float(ends[1]),
        lung_grey=lung,
        dense_grey=dense,
        black=black if narrow or grey_air else 0.0,
        white=black + span if narrow else 1.0,
    )


def apply_tone_curve(density: Float32Map, parameters: ToneCurveParameters) -> Float32Map:
    """Grey values in [0, 1], dense bright, (y, x), of `density` = −ln T, processed or not."""
    body = density[density > _BODY_DENSITY]
    if body.size < _BODY_SHARE * density.size:
        body = density.ravel()
    # Every third pixel tells the percentiles as well as all do.
    ranks = (1.0, _LUNG_PERCENTILE, _DENSE_PERCENTILE, 99.0)
    low, *anchors, high = np.percentile(body[:: max(1, body.size // 20_000)], ranks)
    span = max(float(high - low), 1e-3)
    low = low - parameters.low_margin * span
    high = high + parameters.high_margin * span
    grey = _stretch(density, low, high, parameters)
    if parameters.lung_grey is not None and parameters.dense_grey is not None:
        ends = _stretch(np.asarray(anchors, np.float32), low, high, parameters)
        grey = bend_greys(grey, ends, (parameters.lung_grey, parameters.dense_grey))
    return np.asarray(parameters.black + (parameters.white - parameters.black) * grey, np.float32)


def _stretch(
    density: Float32Map, low: float, high: float, parameters: ToneCurveParameters
) -> Float32Map:
    """`low` to `high` → 0 to 1, with soft ends."""
    grey = (density - np.float32(low)) / np.float32(max(high - low, 1e-3))
    steepness = parameters.concavity * (high - low)
    if steepness > _STRAIGHT:
        grey = np.expm1(np.float32(-steepness) * grey) / np.float32(np.expm1(-steepness))
    return _press_ends(grey, parameters.toe, parameters.shoulder)


def bend_greys(grey: Float32Map, places: Float32Map, wanted: tuple[float, float]) -> Float32Map:
    """The curve through (0, 0) and (1, 1) whose log odds are linear in those of `grey`.

    It takes the two greys `places`, (2,), to the two `wanted`, unless they lie too close together.
    """
    now, then = _log_odds(places), _log_odds(np.asarray(wanted, np.float32))
    contrast = np.float32(np.clip((then[1] - then[0]) / max(now[1] - now[0], 1e-3), *_CONTRASTS))
    middle = np.float32(then.mean() - contrast * now.mean())
    return np.asarray(1 / (1 + np.exp(-contrast * _log_odds(grey) - middle)), np.float32)


def _log_odds(grey: Float32Map) -> Float32Map:
    inside = np.clip(grey, np.float32(_LEAST_ODDS), np.float32(1 - _LEAST_ODDS))
    return np.asarray(np.log(inside / (1 - inside)), np.float32)


def _press_ends(grey: Float32Map, toe: float, shoulder: float) -> Float32Map:
    """Grey values into [0, 1], unchanged in the middle, exponentially less steep to both ends."""
    pressed = np.clip(grey, 0, 1)
    if toe > 0:
        low = grey < toe
        pressed[low] = toe * np.exp((np.maximum(grey[low], -1) - toe) / toe)
    if shoulder > 0:
        high = grey > 1 - shoulder
        pressed[high] = 1 - shoulder * np.exp((1 - shoulder - grey[high]) / shoulder)
    return pressed
