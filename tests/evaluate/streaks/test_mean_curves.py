"""Curves of slices are averaged over those slices that have them, for all kinds of image alike."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dfsynth.evaluate.streaks import CURVES, MeanCurve, SliceCurves, mean_curve, measure_curves


@pytest.fixture(scope="module")
def curves(analytic) -> list[SliceCurves]:
    rng = np.random.default_rng(5)
    noise = rng.standard_normal((2, *analytic.truth.shape), np.float32)
    return [measure_curves(analytic.truth + each, analytic.known) for each in noise]


def test_curves_are_the_means_of_those_of_slices(curves):
    first, second = curves
    found = mean_curve("noise_power", {"input": curves, "target": [second, second]})
    assert found.slices == 2
    assert found.x == pytest.approx(first.noise.frequencies_per_mm[1:])
    both = (first.noise.power + second.noise.power)[1:] / 2
    assert found.y["input"] == pytest.approx(both)
    assert found.y["target"] == pytest.approx(second.noise.power[1:])
    streaks = mean_curve("streak_power", {"input": [first]})
    assert sum(streaks.y["input"]) == pytest.approx(first.streaks.mid_band)
    assert mean_curve("transfer", {"input": [first]}).y["input"][0] == pytest.approx(1)


def test_slices_count_where_all_kinds_have_the_curve(curves):
    first, second = curves
    unknown = np.full_like(first.streaks.by_angle, np.nan)
    nothing: Any = replace(first, streaks=replace(first.streaks, by_angle=unknown))
    found = mean_curve("streak_power", {"input": [first, second], "target": [nothing, first]})
    assert found.slices == 1
    assert found.y["input"] == pytest.approx(second.streaks.by_angle)
    for name in CURVES:
        assert mean_curve(name, {"input": [], "target": []}) == MeanCurve(
            0, (), {"input": (), "target": ()}
        )
