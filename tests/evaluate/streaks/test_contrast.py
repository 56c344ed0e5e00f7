"""Contrast to noise of images whose ratio is known."""

import numpy as np
import pytest

from dfsynth.evaluate.streaks.contrast import contrast_to_error, region_contrast
from dfsynth.statistics import contrast_to_noise


@pytest.mark.parametrize(("lung_sd", "air_sd"), [(1.0, 1.0), (0.6, 0.8), (2.0, 0.0)])
def test_the_ratio_is_that_of_the_drawn_noise(analytic, lung_sd, air_sd) -> None:
    noise = np.random.default_rng(5).standard_normal(analytic.lung_mask.shape)
    image = np.where(analytic.lung_mask, 2.5 + lung_sd * noise, 0.5 + air_sd * noise)
    expected = 2.0 / np.hypot(lung_sd, air_sd)
    found = contrast_to_noise(image[analytic.lung_mask != 0], image[analytic.air_mask != 0])
    assert found == pytest.approx(expected, rel=0.03)
    # 900 pixels each: three standard errors of mean and variance.
    assert region_contrast(image, analytic.known.regions) == pytest.approx(expected, rel=0.12)


def test_contrast_over_errors_is_not_capped_by_uneven_lungs(analytic) -> None:
    rng = np.random.default_rng(8)
    shape, regions = analytic.lung_mask.shape, analytic.known.regions
    truth = np.where(analytic.lung_mask, 2.5 + rng.normal(0, 1, shape), 0.0)
    image = truth + rng.normal(0, 0.1, shape)
    assert region_contrast(truth, regions) == pytest.approx(2.5, rel=0.1)
    assert region_contrast(image, regions) == pytest.approx(2.5, rel=0.1)
    found = contrast_to_error(image, truth, regions)
    assert found == pytest.approx(2.5 / (0.1 * 2**0.5), rel=0.1)
    assert np.isnan(contrast_to_error(truth, truth, regions))
    assert np.isnan(contrast_to_error(image, truth, None))


def test_it_is_undefined_without_regions() -> None:
    assert np.isnan(region_contrast(np.ones((9, 9)), None))
