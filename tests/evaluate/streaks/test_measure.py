"""All figures of a slice together: what smoothing gains and what it costs."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from dfsynth.evaluate.streaks import SliceTruth, measure_curves, measure_slice, summarise_slices


@pytest.fixture
def noisy(analytic):
    """At about the CNR of one rotation."""
    noise = np.random.default_rng(11).normal(0, 1.0, analytic.truth.shape)
    return (analytic.blurred(1.0) + noise).astype(np.float32)


def test_smoothing_gains_contrast_and_every_cost_of_it_shows(analytic, noisy) -> None:
    known = analytic.known
    sharp = measure_slice(noisy, known)
    smooth = measure_slice(ndimage.gaussian_filter(noisy, 3.0), known)
    assert smooth.cnr > 3 * sharp.cnr
    assert smooth.edge_fwhm_px > sharp.edge_fwhm_px
    assert smooth.line_spread_fwhm_mm > 2 * sharp.line_spread_fwhm_mm
    assert smooth.mtf50_per_mm < sharp.mtf50_per_mm
    assert smooth.errors.rim_relative_bias < sharp.errors.rim_relative_bias - 0.1
    assert abs(smooth.errors.core_relative_bias) < 0.05
    assert smooth.noise_frequency_per_mm < 0.5 * sharp.noise_frequency_per_mm
    assert smooth.truth_mtf50_per_mm == sharp.truth_mtf50_per_mm > sharp.mtf50_per_mm


def test_more_rotations_gain_contrast_at_no_cost(analytic, noisy) -> None:
    """Averaging noise instead of pixels: contrast up, all else as it is."""
    known = analytic.known
    quiet = (analytic.blurred(1.0) + 0.2 * (noisy - analytic.blurred(1.0))).astype(np.float32)
    one, many = measure_slice(noisy, known), measure_slice(quiet, known)
    assert many.cnr > 3 * one.cnr
    assert many.line_spread_fwhm_mm < 1.3 * one.line_spread_fwhm_mm
    assert many.errors.rim_relative_bias == pytest.approx(one.errors.rim_relative_bias, abs=0.05)
    assert many.noise_frequency_per_mm == pytest.approx(one.noise_frequency_per_mm, rel=0.05)
    assert many.lung_noise_sd_per_m == pytest.approx(0.2, rel=0.1)


def test_the_figures_are_in_the_units_of_the_slice(analytic, noisy) -> None:
    known = analytic.known
    twice = replace(known, pixel_mm=2 * known.pixel_mm)
    one, two = measure_slice(noisy, known), measure_slice(noisy, twice)
    assert two.mtf50_per_mm == pytest.approx(one.mtf50_per_mm / 2)
    assert two.line_spread_fwhm_mm == pytest.approx(2 * one.line_spread_fwhm_mm)
    assert two.noise_frequency_per_mm == pytest.approx(one.noise_frequency_per_mm / 2)
    assert (two.cnr, two.edge_fwhm_px) == (one.cnr, one.edge_fwhm_px)
    assert one.region_side_px == 30
    curves = measure_curves(noisy, known)
    assert curves.streaks.directional == one.streak_power_per_m2
    assert curves.noise.integral**0.5 == pytest.approx(one.lung_noise_sd_per_m)


def test_the_truth_itself_is_perfect(analytic) -> None:
    found = measure_slice(analytic.truth, analytic.known)
    assert found.errors.rmse_per_m == found.streak_power_per_m2 == found.lung_noise_sd_per_m == 0
    assert found.mtf50_per_mm == found.truth_mtf50_per_mm
    assert found.edge_fwhm_px == found.edge_truth_fwhm_px


def test_a_slice_without_lung_has_what_needs_none(analytic, noisy) -> None:
    empty = np.zeros_like(analytic.lung_mask)
    known = SliceTruth.find(np.zeros_like(analytic.truth), empty, analytic.air_mask, 2.0)
    found = measure_slice(noisy, known)
    assert (found.region_side_px, found.slanted_edges) == (0, 0)
    assert np.isnan([found.cnr, found.edge_fwhm_px, found.errors.lung_bias_per_m]).all()
    assert found.errors.rmse_per_m > 0


def test_what_does_not_belong_together_is_refused(analytic, noisy) -> None:
    with pytest.raises(ValueError, match="one shape"):
        SliceTruth.find(analytic.truth[:-2], analytic.lung_mask, analytic.air_mask, 2.0)
    with pytest.raises(ValueError, match="pixel_mm above 0"):
        SliceTruth.find(analytic.truth, analytic.lung_mask, analytic.air_mask, 0.0)
    with pytest.raises(ValueError, match="of shape"):
        measure_slice(noisy[:-2], analytic.known)
    with pytest.raises(ValueError, match="finite"):
        measure_slice(np.where(noisy > 3, np.float32(np.nan), noisy), analytic.known)


def test_slices_are_summarised_over_patients(analytic, noisy) -> None:
    found = measure_slice(noisy, analytic.known)
    slices = [replace(found, cnr=value) for value in (1.0, 2.0, 3.0, float("nan"), 7.0)]
    summary = summarise_slices(slices, ["a", "a", "b", "c", "d"])
    assert summary.keys() == found.values().keys()
    cnr = summary["cnr"]
    assert cnr.value == 2.5
    assert cnr.low is not None
    assert cnr.high is not None
    assert 1.0 <= cnr.low < 2.5 < cnr.high <= 7.0
    assert summary["lung_bias_per_m"].value == pytest.approx(found.errors.lung_bias_per_m)
    with pytest.raises(ValueError, match="one patient for each"):
        summarise_slices(slices, ["a"])


def test_a_figure_that_no_slice_has_is_undefined(analytic, noisy) -> None:
    found = replace(measure_slice(noisy, analytic.known), cnr=float("nan"))
    cnr = summarise_slices([found, found], ["a", "b"])["cnr"]
    assert (cnr.value, cnr.low, cnr.high) == (None, None, None)


def test_contrast_past_that_of_the_truth_shows_as_lost_anatomy(analytic) -> None:
    """An uneven lung, restored without an error but for a blur."""
    texture = ndimage.gaussian_filter(np.random.default_rng(4).normal(0, 4, (200, 200)), 1.5)
    truth = (analytic.truth * (1 + 0.6 * texture)).astype(np.float32)
    known = SliceTruth.find(truth, analytic.lung_mask, analytic.air_mask, 2.0)
    blurred = measure_slice(ndimage.gaussian_filter(truth, 3.0), known)
    noisy = truth + np.random.default_rng(5).normal(0, 0.1, truth.shape).astype(np.float32)
    faithful = measure_slice(noisy, known)
    assert blurred.cnr > 1.5 * blurred.truth_cnr
    assert faithful.cnr < faithful.truth_cnr
    assert faithful.contrast_to_error > 3 * blurred.contrast_to_error
