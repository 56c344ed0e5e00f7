"""No patient, volume or archive is asked about by a network that has seen it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from radiographs import Pictures
from simulate_realism import (
    deal_patients,
    held_back_patients,
    held_back_sources,
    split_for_control,
)


def some_pictures(patients: list[int], sources: list[str]) -> Pictures:
    count = len(patients)
    return Pictures(
        np.array([str(i) for i in range(count)]),
        np.array([str(p) for p in patients]),
        np.array([sources[p % len(sources)] for p in patients]),
        np.arange(count * 4, dtype=np.uint8).reshape(count, 2, 2),
    )


patients = st.lists(st.integers(0, 9), min_size=20, max_size=40).filter(lambda p: len(set(p)) >= 4)


@given(patients, patients, st.integers(0, 9))
def test_every_picture_is_asked_about_once_by_a_network_new_to_its_patient(
    real: list[int], simulated: list[int], seed: int
) -> None:
    ours, theirs = some_pictures(simulated, ["phantom"]), some_pictures(real, ["nih", "shenzhen"])
    rounds = list(held_back_patients(theirs, ours, 4, np.random.default_rng(seed)))
    for pictures, kind in ((theirs, "real"), (ours, "simulated")):
        asked = np.concatenate([getattr(r, f"test_{kind}") for r in rounds])
        assert sorted(asked.tolist()) == list(range(len(pictures)))
        for task in rounds:
            seen = set(pictures.patients[getattr(task, f"train_{kind}")].tolist())
            assert not seen & set(pictures.patients[getattr(task, f"test_{kind}")].tolist())


@given(patients, patients, st.integers(0, 9))
def test_an_archive_is_asked_about_by_a_network_new_to_it(
    real: list[int], simulated: list[int], seed: int
) -> None:
    ours, theirs = some_pictures(simulated, ["ct"]), some_pictures(real, ["nih", "shenzhen"])
    for task in held_back_sources(theirs, ours, np.random.default_rng(seed)):
        assert set(theirs.sources[task.test_real].tolist()) == {task.name}
        assert task.name not in theirs.sources[task.train_real]
        seen = set(ours.patients[task.train_simulated].tolist())
        assert not seen & set(ours.patients[task.test_simulated].tolist())


@given(patients, st.integers(2, 4), st.integers(0, 9))
def test_folds_are_of_like_size(dealt: list[int], folds: int, seed: int) -> None:
    found = deal_patients(np.array([str(p) for p in dealt]), folds, np.random.default_rng(seed))
    sizes = np.bincount(found, minlength=folds)
    largest_patient = max(dealt.count(p) for p in dealt)
    assert sizes.max() - sizes.min() <= largest_patient


@pytest.mark.parametrize("seed", range(5))
def test_nobody_is_sharp_and_blurred_in_the_control(seed: int) -> None:
    pictures = some_pictures([i // 2 for i in range(30)], ["nih"])
    sharp, blurred = split_for_control(pictures, pictures, np.random.default_rng(seed))
    assert not set(sharp.patients.tolist()) & set(blurred.patients.tolist())
    assert len(sharp) + len(blurred) == len(pictures)
