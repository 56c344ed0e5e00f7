"""Densities → grey values: the window that a machine finds, and its curve."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from dfsynth.records import Float32Map

Curve: TypeAlias = Literal["log", "sigmoid", "linear"]
_BODY_DENSITY = 0.7
_BODY_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class GradingParameters:
    """A window over the body's own densities, a curve, and the grey values it may use."""

    curve: Curve
    """log: grey rises with −ln T; sigmoid: like film; linear: grey falls with T itself."""
    low_percentile: float
    """Of the densities behind the body, at black."""
    high_percentile: float
    """At white."""
    low_margin: float
    """How far black lies below, in shares of the window; negative loses dark lung."""
    high_margin: float
    """How far white lies above; negative saturates the mediastinum."""
    toe: float
    """Share of the grey values, at black, into which all that is darker is pressed softly."""
    shoulder: float
    """The same at white; 0 clips."""
    slope: float
    """Of the sigmoid in its middle, against the straight line; 1 or more."""
    gamma: float
    black: float
    """Grey value of black, 0 to 1."""
    white: float


def draw_grading(flat: bool, film: bool, rng: np.random.Generator) -> GradingParameters:
    """A machine's grading [assumed, against grey values of four archives].

    With `flat`, a window far too wide, as in raw exports; with `film`, darker, as films are.
    """
    curve: Curve = ("log", "sigmoid", "linear")[int(rng.choice(3, p=[0.4, 0.45, 0.15]))]
    low, high = rng.uniform(0.5, 4), rng.uniform(96, 99.8)
    margins = rng.normal(0.12, 0.06), rng.normal(0.0, 0.08)
    ends = rng.uniform(0.03, 0.15), rng.uniform(0.15, 0.5)
    slope = rng.uniform(1.05, 1.7)
    # Films are dark, processed digital pictures bright in their middle tones.
    # Grey that falls with the light itself is bright without that.
    middle = 0.35 if curve == "linear" else 0.05 if film else -0.3
    gamma = np.exp(rng.normal(middle, 0.16))
    black, span = rng.uniform(0.05, 0.25), rng.uniform(0.25, 0.5)
    return GradingParameters(
        curve=curve,
        low_percentile=float(low),
        high_percentile=float(high),
        low_margin=float(margins[0]),
        high_margin=float(margins[1]),
        toe=float(ends[0]),
        shoulder=float(ends[1]),
        slope=float(slope),
        gamma=float(gamma),
        black=float(black) if flat else 0.0,
        white=float(black + span) if flat else 1.0,
    )


def grade(density: Float32Map, parameters: GradingParameters) -> Float32Map:
    """Grey values in [0, 1], dense bright, (y, x), of `density` = −ln T, processed or not."""
    body = density[density > _BODY_DENSITY]
    if body.size < _BODY_SHARE * density.size:
        body = density.ravel()
    # Every third pixel tells the percentiles as well as all do.
    low, high = np.percentile(
        body[:: max(1, body.size // 20_000)],
        (parameters.low_percentile, parameters.high_percentile),
    )
    span = max(float(high - low), 1e-3)
    low = low - parameters.low_margin * span
    high = high + parameters.high_margin * span
    if parameters.curve == "linear":
        light, least, most = np.exp(-density), np.exp(-high), np.exp(-low)
        grey = (most - light) / max(float(most - least), 1e-6)
    else:
        grey = (density - np.float32(low)) / np.float32(max(high - low, 1e-3))
    if parameters.curve == "sigmoid":
        grey = _film(np.clip(grey, -1, 2), parameters.slope)
    grey = _press_ends(grey, parameters.toe, parameters.shoulder) ** np.float32(parameters.gamma)
    return np.asarray(parameters.black + (parameters.white - parameters.black) * grey, np.float32)


def _film(grey: Float32Map, slope: float) -> Float32Map:
    """A logistic curve of `slope` in the middle, scaled to pass (0, 0) and (1, 1)."""
    rate = np.float32(4 * (slope - 0.999))
    ends = 1 / (1 + np.exp(rate * np.float32(0.5)))
    curve = 1 / (1 + np.exp(-rate * (grey - np.float32(0.5))))
    return np.asarray((curve - ends) / (1 - 2 * ends), np.float32)


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
