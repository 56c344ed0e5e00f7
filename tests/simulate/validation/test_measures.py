"""What is measured of one phantom."""

import dataclasses

import numpy as np
import pytest

from dfsynth.simulate.validation import Person, measure_person
from dfsynth.simulate.validation.measures import cardiothoracic_ratio


@pytest.fixture(scope="module")
def someone() -> Person:
    return measure_person(3)


def test_all_measures_are_numbers_and_possible(someone: Person) -> None:
    values = dataclasses.asdict(someone)
    assert all(np.isfinite(value) for value in values.values()), values
    assert 3 < someone.volume_l < 10
    assert someone.sdf_m2 == pytest.approx(
        someone.eps_bar_per_m * someone.volume_l / 1000, rel=0.02
    )
    assert 0 < someone.lung_transmission < 0.5
    assert 0.3 < someone.cardiothoracic < 0.7


def test_breathing_out_raises_the_coefficient_and_hardly_moves_the_total(someone: Person) -> None:
    assert 1.2 < someone.eps_bar_ratio < 1.5
    assert 0.8 < someone.sdf_ratio < 1.1


def test_noise_is_what_its_formula_says(someone: Person) -> None:
    assert someone.noise_ratio == pytest.approx(1.0, abs=0.1)


def test_the_cardiothoracic_ratio_is_that_of_a_drawn_chest() -> None:
    labels = np.zeros((100, 100), np.uint8)
    labels[10:90, 5:42] = 1
    labels[10:90, 58:95] = 1
    labels[10:90, 42:58] = 0
    # A heart 36 wide in a chest 90 wide, 13 columns right of the middle and 23 left of it.
    labels[62:84, 37:73] = 2
    assert cardiothoracic_ratio(labels) == pytest.approx(36 / 90, abs=0.02)
