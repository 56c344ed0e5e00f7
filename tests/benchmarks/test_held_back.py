"""No patient, volume or archive is asked about by a network that has seen it."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from radiographs import ImageSet
from simulate_realism import (
    Answer,
    Round,
    deal_patients,
    held_back_patients,
    held_back_sources,
    measure_auroc,
    show_extremes,
    split_for_control,
)

from dfsynth.statistics import Interval


def some_images(patients: list[int], sources: list[str]) -> ImageSet:
    count = len(patients)
    return ImageSet(
        np.array([str(i) for i in range(count)]),
        np.array([str(p) for p in patients]),
        np.array([sources[p % len(sources)] for p in patients]),
        np.arange(count * 4, dtype=np.uint8).reshape(count, 2, 2),
    )


patients = st.lists(st.integers(0, 9), min_size=20, max_size=40).filter(lambda p: len(set(p)) >= 4)


@given(patients, patients, st.integers(0, 9))
def test_every_image_is_asked_about_once_by_a_network_new_to_its_patient(
    real: list[int], simulated: list[int], seed: int
) -> None:
    ours, theirs = some_images(simulated, ["phantom"]), some_images(real, ["nih", "shenzhen"])
    rounds = list(held_back_patients(theirs, ours, 4, np.random.default_rng(seed)))
    for image_set, kind in ((theirs, "real"), (ours, "simulated")):
        asked = np.concatenate([getattr(r, f"test_{kind}") for r in rounds])
        assert sorted(asked.tolist()) == list(range(len(image_set)))
        for task in rounds:
            seen = set(image_set.patients[getattr(task, f"train_{kind}")].tolist())
            assert not seen & set(image_set.patients[getattr(task, f"test_{kind}")].tolist())


@given(patients, patients, st.integers(0, 9))
def test_an_archive_is_asked_about_by_a_network_new_to_it(
    real: list[int], simulated: list[int], seed: int
) -> None:
    ours, theirs = some_images(simulated, ["ct"]), some_images(real, ["nih", "shenzhen"])
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
    image_set = some_images([i // 2 for i in range(30)], ["nih"])
    sharp, blurred = split_for_control(image_set, image_set, np.random.default_rng(seed))
    assert not set(sharp.patients.tolist()) & set(blurred.patients.tolist())
    assert len(sharp) + len(blurred) == len(image_set)


def test_scores_of_two_rounds_are_compared_within_each() -> None:
    """Perfect in each round, although one network's scores lie far above the other's."""
    real, simulated = some_images(list(range(8)), ["nih"]), some_images(list(range(8)), ["ct"])
    answers = []
    for first, offset in ((0, 0.0), (4, 100.0)):
        rows = np.arange(first, first + 4)
        task = Round("fold", rows, rows, rows, rows)
        answers.append(Answer(task, offset + np.zeros(4), offset + np.ones(4)))
    assert measure_auroc(answers, real, simulated, 0) == Interval(1.0, 1.0, 1.0)
    worst = [Answer(a.round, a.simulated, a.real) for a in answers]
    assert measure_auroc(worst, real, simulated, 0) == Interval(0.0, 0.0, 0.0)


def test_the_extremes_are_drawn(tmp_path: Path) -> None:
    image_set = some_images(list(range(8)), ["nih"])
    rows = np.arange(8)
    answer = Answer(Round("fold", rows, rows, rows, rows), np.arange(8.0), np.arange(8.0) + 1)
    show_extremes(tmp_path / "sheets", "phantom, plain", image_set, image_set, [answer])
    assert cv2.imread(str(tmp_path / "sheets" / "phantom-plain.png")) is not None
