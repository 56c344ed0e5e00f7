"""The drawn dark-field coefficient: scale, cohort and region."""

from dataclasses import replace

import numpy as np
import pytest

from dfsynth.simulate import CohortScattering, draw_scattering
from dfsynth.simulate.scattering import regional_field

PLAIN = CohortScattering(
    eps_sd_per_m=0.0, field_of_view_sd_mm=0.0, regional_cv=0.0, emphysema_share=0.0
)


def lungs(side: int = 128) -> tuple[np.ndarray, np.ndarray]:
    """Two slabs of even thickness, a quarter of the picture together; healthy everywhere."""
    thickness = np.zeros((side, side), np.float32)
    thickness[side // 4 : side // 2 + side // 4, side // 8 : 3 * side // 8] = 1
    thickness[side // 4 : side // 2 + side // 4, 5 * side // 8 : 7 * side // 8] = 1
    return thickness, np.ones_like(thickness)


def draw(cohort: CohortScattering, seed: int = 0, side: int = 128) -> np.ndarray:
    return draw_scattering(cohort, *lungs(side), np.random.default_rng(seed))


def test_the_signal_of_the_mean_patient_by_hand() -> None:
    # A quarter of 380 × 380 mm is 36,100 mm², its root 190 mm; 0.62 of that is 117.8 mm thick.
    found = draw(PLAIN)
    thickness, _ = lungs()
    np.testing.assert_allclose(found[thickness > 0], 2.5 * 0.1178, rtol=1e-5)
    assert not found[thickness == 0].any()
    assert found.dtype == np.float32


def test_the_signal_does_not_depend_on_the_grid() -> None:
    coarse, fine = draw(PLAIN, side=64).max(), draw(PLAIN, side=256).max()
    assert coarse == pytest.approx(fine, rel=1e-5)


def test_total_signal_is_the_published_one() -> None:
    """Cohort mean at inspiration: 1.6e-2 ± 0.4e-2 m² (Urban et al. 2025)."""
    found = draw(PLAIN)
    pixel_m = 0.38 / found.shape[1]
    # The slabs have 361 cm²; the total goes with area to the power of three halves.
    total = float(found.sum()) * pixel_m**2 * (450 / 361) ** 1.5
    assert total == pytest.approx(1.6e-2, rel=0.15)


def test_thickness_and_aeration_both_scale_the_signal() -> None:
    thickness, aeration = lungs()
    thickness[:, :64] *= 1.5
    aeration[:64] *= 0.4
    found = draw_scattering(PLAIN, thickness, aeration, np.random.default_rng(0))
    above_left, above_right = found[40, 20], found[40, 100]
    below_left, below_right = found[80, 20], found[80, 100]
    assert above_left / above_right == pytest.approx(1.5, rel=1e-5)
    assert below_left / below_right == pytest.approx(1.5, rel=1e-5)
    assert above_left / below_left == pytest.approx(0.4, rel=1e-5)


def test_patients_spread_as_the_cohort_does() -> None:
    cohort = replace(PLAIN, eps_sd_per_m=0.4)
    found = np.array([draw(cohort, seed, 16).max() for seed in range(1500)]) / 0.1178
    assert found.mean() == pytest.approx(2.5, abs=0.05)
    assert found.std() == pytest.approx(0.4, rel=0.1)


def test_emphysema_only_lowers_the_signal() -> None:
    sick = replace(PLAIN, emphysema_share=1.0)
    ratio = np.array([draw(sick, seed, 16).max() for seed in range(400)]) / draw(PLAIN, 0, 16).max()
    assert 0.5 <= ratio.min() < 0.55
    assert 0.9 < ratio.max() <= 0.95
    mixed = replace(PLAIN, emphysema_share=0.15)
    drawn = np.array([draw(mixed, seed, 16).max() for seed in range(1000)])
    assert (drawn < 0.96 * drawn.max()).mean() == pytest.approx(0.15, abs=0.04)


def test_a_seed_gives_one_patient() -> None:
    cohort = CohortScattering()
    assert np.array_equal(draw(cohort, 5), draw(cohort, 5))
    assert not np.array_equal(draw(cohort, 5), draw(cohort, 6))


@pytest.mark.parametrize("cv", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("correlation_px", [2.0, 8.0, 20.0])
def test_the_region_has_mean_one_and_its_variation(cv: float, correlation_px: float) -> None:
    fields = [
        regional_field((160, 200), correlation_px, cv, np.random.default_rng(seed))
        for seed in range(12)
    ]
    together = np.stack(fields)
    assert together.shape == (12, 160, 200)
    assert together.dtype == np.float32
    assert together.min() > 0
    # Standard error of the mean over the independent patches of twelve fields.
    patches = together.size / (np.pi * max(correlation_px, 1.5) ** 2)
    assert together.mean() == pytest.approx(1, abs=4 * cv / patches**0.5 + 0.01)
    assert together.std() / together.mean() == pytest.approx(cv, rel=0.12)


def test_the_region_is_correlated_over_its_length() -> None:
    field = np.log(regional_field((256, 256), 16.0, 0.3, np.random.default_rng(1)))
    field -= field.mean()

    def correlation(shift: int) -> float:
        return float((field[:, shift:] * field[:, : 256 - shift]).mean() / field.var())

    assert correlation(4) > 0.8
    assert 0.15 < correlation(16) < 0.65
    assert abs(correlation(64)) < 0.25


def test_without_variation_the_region_is_even() -> None:
    field = regional_field((40, 50), 5.0, 0.0, np.random.default_rng(0))
    np.testing.assert_array_equal(field, 1.0)
