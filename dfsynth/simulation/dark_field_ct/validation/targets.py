"""What scans of dark-field CT have to show."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from dfsynth.simulation.dark_field_ct.validation.measures import MeasuredScan
from dfsynth.simulation.validation import Target

_CONSTRUCTION: Final = "by construction"
_EMERGENT: Final = "emergent"


def _mean_of(name: str) -> Callable[[Sequence[MeasuredScan]], float]:
    return lambda scans: float(np.mean([getattr(one, name) for one in scans]))


def _median_of(name: str) -> Callable[[Sequence[MeasuredScan]], float]:
    return lambda scans: float(np.median([getattr(one, name) for one in scans]))


def _growth(scans: Sequence[MeasuredScan]) -> float:
    return float(np.median([one.cnr_20 / one.cnr_10 for one in scans]))


def _gain_of_ten(scans: Sequence[MeasuredScan]) -> float:
    return float(np.median([one.cnr_10 / one.cnr_1 for one in scans]))


TARGETS: Final[tuple[Target[MeasuredScan], ...]] = (
    *(
        Target(
            f"error of the coefficient, {what}",
            _CONSTRUCTION,
            "",
            -0.02,
            0.02,
            "its true one; no vibration, no noise",
            _mean_of(name),
        )
        for what, name in (
            ("disc, parallel beam", "disc_error"),
            ("ellipses, parallel beam", "ellipse_error"),
            ("ellipses, fan beam", "fan_error"),
        )
    ),
    Target(
        "variance of the retrieved dark-field over the formula's",
        _CONSTRUCTION,
        "",
        0.9,
        1.1,
        "(2 / V² − 1) / N",
        _mean_of("noise_ratio"),
    ),
    Target(
        "contrast to noise, one rotation",
        _CONSTRUCTION,
        "",
        1.5,
        1.9,
        "a prototype; amplitudes of vibration are chosen for it",
        _median_of("cnr_1"),
    ),
    Target(
        "contrast to noise, ten rotations over one",
        _EMERGENT,
        "",
        2.5,
        5.0,
        "6.1 over 1.5 to 1.9 (a prototype)",
        _gain_of_ten,
    ),
    Target(
        "contrast to noise, twenty rotations over ten",
        _EMERGENT,
        "",
        1.2,
        1.8,
        "9.4 over 6.1 (a prototype)",
        _growth,
    ),
    Target(
        "variation of the streaks' power over directions",
        _EMERGENT,
        "",
        0.4,
        1.2,
        "directional: 0.07 of white noise",
        _median_of("sector_variation"),
    ),
    Target(
        "the same of white noise",
        _CONSTRUCTION,
        "",
        0.0,
        0.12,
        "no direction",
        _median_of("still_variation"),
    ),
    Target(
        "power of streaks left without vibration",
        _EMERGENT,
        "",
        0.0,
        0.02,
        "none",
        _median_of("streaks_left"),
    ),
)
"""Amplitudes of vibration and the filter are chosen so that the contrast to noise of one rotation
is that of the prototype; its growth follows."""
