"""Nodules found at equal false alarms, and the detector that finds them."""

import numpy as np
import pytest
import torch
from free_response import (
    ALL,
    false_nodules,
    find_candidates,
    peaks,
    recall,
    recall_difference,
)
from nodule_detector import (
    DetectorBudget,
    Nodule,
    find_heat,
    heat_of,
    nodules_of,
    train_detector,
)

from dfsynth.datasets import PairImages
from dfsynth.evaluate.restoration import SIZES

SIDE = 32
PATIENTS = [f"p{n}" for n in range(4)]


def spots(*found: tuple[int, int, float]) -> np.ndarray:
    heat = np.zeros((SIDE, SIDE), np.float32)
    for row, column, score in found:
        heat[row, column] = score
    return heat


NODULES = [
    [Nodule(8.0, 8.0, 2.0, 6.0), Nodule(20.0, 20.0, 4.0, 20.0)],
    [Nodule(10.0, 24.0, 2.0, 6.0)],
    [],
    [],
]
HEATS = np.stack(
    [
        spots((9, 8, 0.9), (22, 21, 0.5), (30, 2, 0.3)),
        spots((2, 2, 0.8), (10, 25, 0.4)),
        spots((5, 5, 0.7)),
        spots(),
    ]
)


def test_recall_rises_with_false_alarms_and_counts_each_nodule_once() -> None:
    found = find_candidates(HEATS, NODULES)
    values = [recall(found, PATIENTS, alarms).value for alarms in (0.0, 0.25, 0.5, 0.75)]
    # The first false alarm has 0.8, the second 0.7, the third 0.3.
    assert values == pytest.approx([1 / 3, 1 / 3, 1, 1])
    small, large = (recall(found, PATIENTS, 0.25, size).value for size in (SIZES[0], SIZES[2]))
    assert [small, large] == pytest.approx([1 / 2, 0])
    assert recall(found, PATIENTS, 1.0, SIZES[1]).value is None


def test_a_second_hit_is_neither_found_nor_false() -> None:
    heat = spots((19, 17, 0.9), (21, 23, 0.8), (2, 28, 0.7))[None]
    found = find_candidates(heat, [[NODULES[0][1]]])
    assert found.alarm.tolist() == [False, False, True]
    assert found.size.tolist() == [SIZES[2], "", ""]
    assert recall(found, ["p"], 0.0, ALL).value == 1


def test_false_nodules_are_those_of_pictures_without_any() -> None:
    found = find_candidates(HEATS, NODULES)
    assert false_nodules(found, PATIENTS, 0.25).value == 0
    assert false_nodules(found, PATIENTS, 0.5).value == pytest.approx(1 / 2)
    assert false_nodules(find_candidates(HEATS[:2], NODULES[:2]), PATIENTS[:2], 1).value is None


def test_a_kind_differs_from_itself_by_nothing_and_from_a_blind_one_by_all() -> None:
    found, blind = (find_candidates(heats, NODULES) for heats in (HEATS, np.zeros_like(HEATS)))
    assert recall_difference(found, found, PATIENTS, 1.0).value == 0
    assert recall_difference(found, blind, PATIENTS, 1.0).value == 1


def test_peaks_are_apart_and_highest_first() -> None:
    found = peaks(spots((4, 4, 0.5), (4, 5, 0.4), (20, 20, 0.9)))
    assert [each[1:] for each in found] == [(20, 20), (4, 4)]
    assert not peaks(np.zeros((SIDE, SIDE), np.float32))


def test_nodules_have_the_diameter_that_they_were_drawn_with() -> None:
    labels = np.zeros((SIDE, SIDE), np.float32)
    labels[4:8, 10:14] = 2
    image = np.zeros_like(labels)
    (found,) = nodules_of(PairImages(image, image, nodules=labels), (9.0, 6.0), pixel_mm=2.0)
    assert found == Nodule(5.5, 11.5, 1.5, 6.0)
    assert not nodules_of(PairImages(image, image), (), 1.0)


def test_a_detector_learns_to_find_discs() -> None:
    rng, y, x = np.random.default_rng(0), *np.mgrid[:SIDE, :SIDE]
    pictures, nodules = [], []
    for number in range(40):
        row, column = rng.integers(6, SIDE - 6, 2)
        there = [Nodule(float(row), float(column), 3.0, 9.0)] if number % 2 else []
        disc = 0.4 * (np.hypot(y - row, x - column) < 3) * len(there)
        pictures.append(0.3 + disc + 0.05 * rng.standard_normal((SIDE, SIDE)))
        nodules.append(there)
    stack, cpu = np.stack(pictures).astype(np.float32), torch.device("cpu")
    heats = np.stack([heat_of(each, (SIDE, SIDE)) for each in nodules])
    budget = DetectorBudget(widths=(8, 16), steps=80, batch=4, rate=1e-2)
    network = train_detector(stack[:30], heats[:30], budget, 0, cpu)
    found = find_candidates(find_heat(network, stack[30:], cpu), nodules[30:])
    patients = [f"p{n}" for n in range(10)]
    assert (recall(found, patients, 0.2).value or 0) > 0.7
