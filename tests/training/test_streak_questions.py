"""The whole script at the size of a stamp: trains, goes on, reports and draws."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streak_questions
from question_guided import guided_filter
from question_report import QUESTIONS
from question_slices import load_slices, one_rotation_of, open_slices, second_rotations
from streak_questions import VARIANTS

import dfsynth
from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings

SMALL = ["--steps", "2", "--batch", "2", "--patch", "32", "--widths", "4", "8", "--samples", "2"]
SOME = ["plain", "second rotation", "dual", "gennorm cascade"]


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("slices") / "ct.zarr"
    dfsynth.simulate_pairs(path, n=12, task="dark-field-ct", size=64, shots=200, rotations=2)
    return path


def run(store: Path, out: Path, *more: str) -> None:
    streak_questions.main(["--data", str(store), "--out", str(out), "--seeds", "1", *SMALL, *more])


def results(out: Path) -> dict[str, Any]:
    """What was found, without how long it took."""
    held = {p.name: json.loads(p.read_text()) for p in (out / "results").iterdir()}
    return {name: {**found, "seconds": None} for name, found in held.items()}


def test_a_stopped_run_goes_on_to_the_same_results(store, tmp_path, capsys) -> None:
    run(store, tmp_path / "whole", "--only", *SOME)
    run(store, tmp_path / "parts", "--only", *SOME, "--minutes", "0")
    assert "the same command goes on" in capsys.readouterr().out
    assert len(results(tmp_path / "parts")) == 3
    run(store, tmp_path / "parts", "--only", "dual", "plain")
    run(store, tmp_path / "parts", "--only", *SOME)
    found = results(tmp_path / "parts")
    assert len(found) == 3 + len(SOME)
    assert found == results(tmp_path / "whole")

    capsys.readouterr()
    streak_questions.main(["--out", str(tmp_path / "whole"), "--report"])
    said = capsys.readouterr().out
    assert "4 trainings; " in said
    assert "| plain | 1 |" in said
    assert "| gennorm cascade | lung | sigma |" in said
    assert "Not trained yet: truth targets." in said
    figures = {path.name for path in (tmp_path / "whole").glob("*.png")}
    assert figures >= {"targets.png", "dual-frame.png", "uncertainty.png", "figure-to-reach.png"}
    assert (tmp_path / "whole" / "report.md").read_text() == said

    with pytest.raises(SystemExit, match="made with other settings or slices"):
        run(store, tmp_path / "whole", "--only", "plain", "--steps", "3")


def test_seeds_and_variants_give_results_of_their_own(store, tmp_path) -> None:
    run(store, tmp_path, "--only", "plain", "l1", "--seeds", "2")
    found = results(tmp_path)
    restored = [
        json.dumps(found[f"{name}-seed-{seed}.json"]["restored"]["once"])
        for name in ("plain", "l1")
        for seed in (0, 1)
    ]
    assert len(set(restored)) == 4


def test_what_cannot_be_done_is_said(store, tmp_path, capsys) -> None:
    with pytest.raises(SystemExit):
        run(store, tmp_path, "--only", "plane")
    assert "--only: invalid choice: 'plane'" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="holds no results"):
        streak_questions.main(["--out", str(tmp_path / "none"), "--report"])


def test_a_second_rotation_is_scanned_as_the_first_one_was(store, tmp_path) -> None:
    settings = one_rotation_of(store)
    assert settings == ScanSettings(shots_per_rotation=200, rotations=1)
    slices = load_slices(open_slices(store), "test")
    second = second_rotations(slices, settings, tmp_path)
    first, truth = slices.maps["single_rotation"], slices.maps["truth"]
    lung = slices.lung == 1
    errors = [float(np.std((scanned - truth)[lung])) for scanned in (first, second)]
    assert errors[1] == pytest.approx(errors[0], rel=0.4)
    assert abs(np.corrcoef((first - truth)[lung], (second - truth)[lung])[0, 1]) < 0.6


def test_every_variant_has_a_name_and_a_question() -> None:
    names = [variant.name for variant in VARIANTS]
    assert len(set(names)) == len(names)
    asked = {name.split(", ")[0] for q in QUESTIONS for name in q.entries}
    assert asked | {"plain"} == set(names)


def test_a_guided_filter_smooths_all_but_the_edges_of_its_guide() -> None:
    noise = np.random.default_rng(0).normal(0, 0.3, (64, 64))
    edge = np.where(np.arange(64) < 32, 0.0, 1.0) * np.ones((64, 1))
    image, guide = (2.5 * edge + noise).astype(np.float32), (20 - 15 * edge).astype(np.float32)
    found = guided_filter(image, guide)
    assert found[8:-8, 8:26].std() < 0.25 * image[8:-8, 8:26].std()
    assert found[:, 32].mean() - found[:, 31].mean() > 1.6
    blind = guided_filter(image, np.full_like(guide, 20))
    assert blind[:, 32].mean() - blind[:, 31].mean() < 1
