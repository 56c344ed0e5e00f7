"""The predictive density against scipy's generalised normal distribution."""

import numpy as np
import pytest
from scipy import stats

from dfsynth.evaluate.density import (
    central_probability,
    negative_log_density,
    ranked_probability_score,
    scale_of,
)

ERRORS = np.linspace(-2.0, 2.0, 9)
SHAPES = [0.6, 1.0, 1.7, 2.0, 5.0]


def full(value: float) -> np.ndarray:
    return np.full(ERRORS.shape, value)


def scipy_density(sigma: float, beta: float) -> stats.rv_continuous:
    return stats.gennorm(beta, scale=scale_of(full(sigma), full(beta))[0])


@pytest.mark.parametrize("beta", SHAPES)
def test_sigma_is_the_standard_deviation(beta: float) -> None:
    assert scipy_density(0.7, beta).std() == pytest.approx(0.7, rel=1e-9)


@pytest.mark.parametrize("beta", SHAPES)
def test_the_likelihood_holds_every_constant(beta: float) -> None:
    found = negative_log_density(ERRORS, full(0.7), full(beta))
    np.testing.assert_allclose(found, -scipy_density(0.7, beta).logpdf(ERRORS), rtol=1e-10)


@pytest.mark.parametrize("beta", SHAPES)
def test_the_ranked_score_is_that_of_its_quantiles(beta: float) -> None:
    """E|X − r| − E|X − X'| / 2 of many equally likely values of the density."""
    count = 100_000
    values = scipy_density(0.7, beta).ppf((np.arange(count) + 0.5) / count)
    half_difference = (2 * np.arange(count) + 1 - count) @ values / count**2
    expected = [np.abs(values - r).mean() - half_difference for r in ERRORS]
    found = ranked_probability_score(ERRORS, full(0.7), full(beta))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_ranked_score_of_a_gaussian_is_the_textbooks() -> None:
    z = ERRORS / 0.3
    expected = 0.3 * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))
    found = ranked_probability_score(ERRORS, full(0.3), full(2.0))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("beta", SHAPES)
@pytest.mark.parametrize("level", [0.5, 0.9])
def test_the_end_of_an_interval_has_its_probability(beta: float, level: float) -> None:
    end = scipy_density(0.7, beta).ppf(0.5 + level / 2)
    found = central_probability(np.array([-end, end]), np.full(2, 0.7), np.full(2, beta))
    np.testing.assert_allclose(found, level, rtol=1e-9)


def test_a_prediction_without_spread_has_a_density() -> None:
    zero = np.zeros(ERRORS.shape)
    assert np.isfinite(negative_log_density(zero, zero, full(2.0))).all()
    assert np.isfinite(ranked_probability_score(ERRORS, zero, full(1.0))).all()
