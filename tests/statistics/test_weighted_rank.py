"""Ranks are those of whole numbers: no patient is lost to the last digit of a float."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfsynth.statistics.weighted_rank import rank_reaching


@pytest.mark.parametrize("share", ["0.05", "0.1", "0.3", "0.5", "0.7", "0.9", "0.95"])
@pytest.mark.parametrize("pictures", [1, 3, 7, 10, 11, 49])
def test_so_many_patients_in_a_hundred_are_so_many_of_twenty(share: str, pictures: int) -> None:
    owners = np.repeat(np.arange(20), pictures)
    patients = Fraction(share) * 20
    assert patients.denominator == 1
    assert rank_reaching(owners, Fraction(share)) == int(patients) * pictures


@given(
    owners=st.lists(st.integers(0, 6), min_size=1, max_size=60),
    percent=st.integers(1, 100),
    to_come=st.integers(0, 2),
)
def test_ranks_are_those_of_exact_sums(owners: list[int], percent: int, to_come: int) -> None:
    share = Fraction(percent, 100)
    wanted = share * (len(set(owners)) + to_come)
    sums = [
        sum(Fraction(1, owners.count(owner)) for owner in owners[:rank])
        for rank in range(1, len(owners) + 1)
    ]
    expected = next((rank for rank, total in enumerate(sums, 1) if total >= wanted), None)
    assert rank_reaching(np.array(owners), share, to_come) == expected


def test_eight_patients_and_one_to_come_cannot_reach_nine_tenths() -> None:
    assert rank_reaching(np.arange(8), Fraction("0.9"), 1) is None
    assert rank_reaching(np.arange(9), Fraction("0.9"), 1) == 9


def test_patients_of_many_pixels_are_counted_exactly() -> None:
    counts = [65_521, 65_519, 65_497, 10_007, 3]
    owners = np.repeat(np.arange(5), counts)
    assert rank_reaching(owners, Fraction("0.6")) == sum(counts[:3])
