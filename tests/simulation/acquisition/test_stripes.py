"""Stripes: constant along a row but for the light, correlated from row to row."""

from typing import Any

import numpy as np
import pytest

from dfsynth.simulation.acquisition.stripes import StripeParameters, draw_stripes, stripe_field


def stripes(sd: float = 0.03, correlation: float = 0.8, **changes: Any) -> StripeParameters:
    fields: dict[str, Any] = {"band_centres": (), "band_widths_mm": (), "band_steps": ()}
    return StripeParameters(sd=sd, correlation=correlation, seed=5, **{**fields, **changes})


@pytest.mark.parametrize("correlation", [0.5, 0.95])
def test_the_row_field_has_its_spread_and_its_correlation(correlation: float) -> None:
    rows = stripe_field(np.ones((20_000, 1), np.float32), 0.36, stripes(0.03, correlation))[:, 0]
    assert rows.std() == pytest.approx(0.03, rel=0.06)
    assert np.corrcoef(rows[1:], rows[:-1])[0, 1] == pytest.approx(correlation, abs=0.02)


def test_less_light_makes_stronger_stripes() -> None:
    transmission = np.tile(np.array([1.0, 0.01], np.float32), (100, 1))
    field = stripe_field(transmission, 0.36, stripes())
    np.testing.assert_allclose(field[:, 1], field[:, 0] * 0.01**-0.25, rtol=1e-5)


def test_a_band_is_where_it_is_said_to_be() -> None:
    band = stripes(sd=0.0, band_centres=(0.5,), band_widths_mm=(10.0,), band_steps=(0.04,))
    profile = stripe_field(np.ones((101, 3), np.float32), 1.0, band)[:, 1]
    assert profile[50] == pytest.approx(0.04)
    assert not profile[:44].any()
    assert not profile[57:].any()


def test_the_same_parameters_give_the_same_stripes() -> None:
    parameters = draw_stripes(np.random.default_rng(1))
    light = np.full((64, 64), 0.2, np.float32)
    np.testing.assert_array_equal(
        stripe_field(light, 1.0, parameters), stripe_field(light, 1.0, parameters)
    )


def test_draws_stay_in_range() -> None:
    for seed in range(50):
        drawn = draw_stripes(np.random.default_rng(seed))
        assert 0.01 <= drawn.sd <= 0.05
        assert 0.5 <= drawn.correlation <= 0.95
        assert 1 <= len(drawn.band_centres) <= 3
