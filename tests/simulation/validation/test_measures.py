"""What is measured of one phantom."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from dfsynth.simulation.acquisition import noise
from dfsynth.simulation.acquisition.noise import NoiseParameters
from dfsynth.simulation.acquisition.noise_sigma import dark_field_noise_sigma
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.validation import Person, measure_person, measures
from dfsynth.simulation.validation.measures import cardiothoracic_ratio, noise_ratios


@pytest.fixture(scope="module")
def someone() -> Person:
    return measure_person(3)


def test_all_measures_are_numbers_and_possible(someone: Person) -> None:
    values = dataclasses.asdict(someone)
    faint = values.pop("faint_noise_ratio")
    assert all(np.isfinite(value) for value in values.values()), values
    assert np.isnan(faint) or 0.5 < faint < 2
    assert 3 < someone.volume_l < 10
    assert someone.sdf_m2 == pytest.approx(
        someone.eps_bar_per_m * someone.volume_l / 1000, rel=0.02
    )
    assert 0 < someone.lung_transmission < 0.5
    assert 0.3 < someone.cardiothoracic < 0.7


def test_breathing_out_raises_the_coefficient_and_hardly_moves_the_total(someone: Person) -> None:
    assert 1.2 < someone.eps_bar_ratio < 1.5
    assert 0.8 < someone.sdf_ratio < 1.1


def test_the_fitted_scanner_shows_more_behind_bone_than_behind_soft_tissue(
    someone: Person,
) -> None:
    assert abs(someone.raw_soft_signal) < 0.06
    assert someone.raw_soft_signal < someone.raw_bone_signal < someone.raw_lung_signal


def test_counted_noise_is_what_the_formula_says(someone: Person) -> None:
    assert someone.noise_ratio == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(("photons", "visibility"), [(4e4, 0.2), (1e5, 0.4)])
def test_a_wrong_formula_would_be_noticed(
    photons: float, visibility: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice(*args: Any) -> Any:
        return 2 * dark_field_noise_sigma(*args)

    signal = np.full((60, 60), 0.3, np.float32)
    passed = np.linspace(0.02, 0.2, 3600, dtype=np.float32).reshape(60, 60)
    scan = NoiseParameters(photons, visibility, 10 * photons)
    honest = noise_ratios(signal, passed, scan, Streams(0))
    assert honest == pytest.approx((1, 1), abs=0.1)
    for module in (noise, measures):
        monkeypatch.setattr(module, "dark_field_noise_sigma", twice)
    wrong = noise_ratios(signal, passed, scan, Streams(0))
    assert wrong == pytest.approx((honest[0] / 2, honest[1] / 2), rel=1e-4)


def test_the_cardiothoracic_ratio_is_that_of_a_drawn_chest() -> None:
    labels = np.zeros((100, 100), np.uint8)
    labels[10:90, 5:42] = 1
    labels[10:90, 58:95] = 1
    labels[10:90, 42:58] = 0
    # A heart 36 wide in a chest 90 wide, 13 columns right of the middle and 23 left of it.
    labels[62:84, 37:73] = 2
    assert cardiothoracic_ratio(labels) == pytest.approx(36 / 90, abs=0.02)
