"""Means and paired differences of the comparison of trainings."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import train_table
from train_table import (
    CONFIGURATIONS,
    Bench,
    Column,
    compare,
    mean_over_patients,
    read_scores,
)

import dfsynth

LUNG_MAE = Column("mae", "lung", "clean")


def write_images(folder: Path, values: dict[tuple[str, str, int], float]) -> Path:
    """An `images.csv` with the lung's error of each (patient, image, stage)."""
    folder.mkdir()
    with (folder / "images.csv").open("w", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(["key", "patient_id", "stage", "region", "target", "mae"])
        for (patient, key, stage), value in values.items():
            writer.writerow([key, patient, stage, "lung", "clean", value])
            writer.writerow([key, patient, stage, "whole", "clean", 99])
    return folder


def test_scores_are_of_one_stage_and_one_region_with_a_figure_for_each_seed(tmp_path: Path) -> None:
    one = {("a", "1", 1): 0.5, ("a", "1", 2): 0.25, ("b", "2", 1): 0.5, ("b", "2", 2): 0.75}
    other = {("a", "1", 1): 1.5, ("a", "1", 2): 1.25}
    folders = [write_images(tmp_path / "x", one), write_images(tmp_path / "y", other)]
    found = read_scores(folders, 0, LUNG_MAE)
    assert {k: v.tolist() for k, v in found.items()} == {"a/1": [0.25, 1.25]}
    assert read_scores(folders[:1], 1, LUNG_MAE)["b/2"].tolist() == [0.5]


def test_an_interval_holds_the_spread_of_seeds_as_well_as_of_patients() -> None:
    patients = {f"{n}/0": np.array([0.0, 1.0, 2.0]) for n in range(50)}
    found = mean_over_patients(patients)
    assert found.value == pytest.approx(1)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.5
    assert found.high > 1.5


def test_differences_are_paired_and_tested_over_patients() -> None:
    rng = np.random.default_rng(0)
    ours = {f"p{n}/0": np.full(3, rng.normal(0, 10)) for n in range(30)}
    # However far patients lie apart, a constant difference is certain.
    worse = {k: v + 0.5 for k, v in ours.items()}
    assert compare(ours, worse).startswith("+0.5000 (+0.5000 to +0.5000), p ")
    assert float(compare(ours, worse).split("p ")[1]) < 1e-4
    assert compare(ours, dict(ours)) == "the same"


def test_seeds_that_scatter_make_a_difference_doubtful() -> None:
    """Every patient is better by 0.1 on the mean of seeds, and seeds differ by far more."""
    ours = {f"p{n}/0": np.array([0.0, 1.0, 2.0]) for n in range(30)}
    theirs = {key: value[[2, 0, 1]] + 0.1 for key, value in ours.items()}
    text = compare(ours, theirs)
    low, high = (float(v) for v in text.split("(")[1].split(")")[0].split(" to "))
    assert low < 0 < high


def test_results_of_other_pairs_or_sizes_are_not_mixed_in(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.zarr"
    dfsynth.simulate_pairs(pairs, 4, size=64, seed=1)
    Bench(pairs, tmp_path / "out", 64, 900, 0.0).claim()
    Bench(pairs, tmp_path / "out", 64, 300, 0.0).claim()
    with pytest.raises(SystemExit, match="another size"):
        Bench(pairs, tmp_path / "out", 32, 900, 0.0).claim()


def test_many_images_of_one_patient_are_one_observation() -> None:
    ours = {f"only/{n}": np.array([float(n)]) for n in range(40)}
    worse = {k: v + 0.5 for k, v in ours.items()}
    assert compare(ours, worse).endswith("p 1")


def test_as_long_as_another_means_updates_in_proportion_to_the_time_of_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "pairs.zarr", tmp_path, 64, 900, 0.0)
    quick, slow = CONFIGURATIONS[0].name, CONFIGURATIONS[3].name
    seconds = {c.name: 0.2 for c in CONFIGURATIONS} | {slow: 0.5}
    (tmp_path / "update-seconds.json").write_text(json.dumps(seconds))
    assert bench.steps_as_long(quick, None) == 900
    assert bench.steps_as_long(quick, slow) == 2250
    assert bench.steps_as_long(slow, slow) == 900


def test_the_time_of_an_update_is_measured_once_over_all_legs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = tuple(replace(c, widths=(8, 8)) for c in CONFIGURATIONS[:2])
    monkeypatch.setattr(train_table, "CONFIGURATIONS", tiny)
    bench = Bench(tmp_path / "pairs.zarr", tmp_path, 16, 60, 0.0)
    seconds = bench.update_seconds()
    assert seconds.keys() == {c.name for c in tiny}
    assert min(seconds.values()) > 0
    assert bench.update_seconds() == seconds
