"""Resolution at slanted edges of known blur."""

import numpy as np
import pytest
from scipy.special import erf

from dfsynth.evaluate.streaks.error_function import FWHM_PER_SIGMA
from dfsynth.evaluate.streaks.slanted_edge import edge_spread, measure_resolution
from dfsynth.evaluate.streaks.straight_edges import HALF_LENGTH_PX, find_straight_edges

MTF50_OF_SIGMA_1 = np.sqrt(np.log(2) / 2) / np.pi
"""Where exp(-2 π² f²) is a half."""


def half_plane(angle_deg: float, sigma: float, side: int = 96):
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    angle = np.radians(angle_deg)
    distance = y * np.cos(angle) + x * np.sin(angle) - 0.37
    return (3 * (1 + erf(distance / (np.sqrt(2) * sigma))) / 2 - 1).astype(np.float32), distance > 0


@pytest.mark.parametrize("angle", [5.0, -17.0, 100.0, 215.0])
@pytest.mark.parametrize("sigma", [0.8, 1.5, 2.5])
def test_the_blur_of_a_straight_edge_comes_back(angle, sigma) -> None:
    truth, lung = half_plane(angle, 0.3)
    edges = find_straight_edges(truth, lung)
    assert len(edges) >= 2
    found = measure_resolution(half_plane(angle, sigma)[0], edges)
    assert found.mtf50_per_px == pytest.approx(MTF50_OF_SIGMA_1 / sigma, rel=0.05)
    assert found.fwhm_px == pytest.approx(FWHM_PER_SIGMA * sigma, rel=0.04)
    resolved = found.frequencies_per_px <= 0.5
    expected = np.exp(-2 * (np.pi * sigma * found.frequencies_per_px[resolved]) ** 2)
    np.testing.assert_allclose(found.transfer[resolved], expected, atol=0.03)


def test_edges_are_found_to_a_part_of_a_pixel() -> None:
    truth, lung = half_plane(17.0, 0.3)
    for edge in find_straight_edges(truth, lung):
        normal = np.array([np.cos(np.radians(17)), np.sin(np.radians(17))])
        offset = np.dot(np.array(edge.centre) - 95 / 2, normal) - 0.37
        assert abs(offset) < 0.2
        assert np.dot(edge.normal, normal) > np.cos(np.radians(1.5))
        assert (edge.low, edge.high) == pytest.approx((-1, 2), abs=0.01)


def test_pieces_do_not_overlap_and_are_even(analytic) -> None:
    edges = find_straight_edges(analytic.truth, analytic.lung_mask)
    assert len(edges) >= 4
    for i, edge in enumerate(edges):
        for other in edges[:i]:
            assert np.hypot(*np.subtract(edge.centre, other.centre)) >= 2 * HALF_LENGTH_PX
    spoiled = analytic.truth.copy()
    y, x = map(round, edges[0].centre)
    spoiled[y - 6 : y + 7, x - 6 : x + 7] += 5
    left = find_straight_edges(spoiled, analytic.lung_mask)
    assert all(np.hypot(*np.subtract(edge.centre, (y, x))) > 6 for edge in left)


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0])
def test_curved_lungs_are_measured_nearly_as_straight_edges(analytic, sigma) -> None:
    found = measure_resolution(analytic.blurred(sigma), analytic.known.edges)
    assert found.fwhm_px == pytest.approx(FWHM_PER_SIGMA * sigma, rel=0.1)
    assert found.mtf50_per_px == pytest.approx(MTF50_OF_SIGMA_1 / sigma, rel=0.1)


def test_the_fitted_width_holds_in_noise(analytic) -> None:
    """At the CNR of one rotation."""
    noise = np.random.default_rng(2).normal(0, 1.0, analytic.truth.shape)
    found = measure_resolution(analytic.blurred(2.0) + noise, analytic.known.edges)
    assert found.fwhm_px == pytest.approx(FWHM_PER_SIGMA * 2.0, rel=0.25)


def test_without_edges_nothing_is_measured() -> None:
    flat = np.zeros((64, 64), np.float32)
    assert find_straight_edges(flat, flat) == ()
    aligned, lung = half_plane(0.0, 0.3)
    assert find_straight_edges(aligned, lung) == ()
    found = measure_resolution(flat, ())
    assert np.isnan(found.fwhm_px)
    assert np.isnan(found.mtf50_per_px)
    with pytest.raises(ValueError, match="at least one edge"):
        edge_spread(flat, ())
