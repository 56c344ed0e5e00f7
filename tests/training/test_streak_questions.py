"""The whole script at the size of a stamp: trains, goes on, reports and draws."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streak_questions
from question_guided import (
    ChosenStrength,
    Levels,
    Strength,
    best_strength,
    choose_strength,
    guided_filter,
)
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


@pytest.mark.slow
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
    chosen = found["dual-seed-0.json"]["guidance"]
    strength = chosen["strength"]
    row = f"| dual, guided | 0 | {strength['radius_px']} | {strength['least_variance']:g} | 1 |"
    assert row in said
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


def test_guided_results_of_an_earlier_script_are_made_anew(store, tmp_path, capsys) -> None:
    run(store, tmp_path, "--only", "plain", "dual")
    expected = results(tmp_path)
    path = tmp_path / "results" / "dual-seed-0.json"
    old = json.loads(path.read_text())
    del old["guidance"], old["made_with"]["choice"]
    path.write_text(json.dumps(old))

    capsys.readouterr()
    streak_questions.main(["--out", str(tmp_path), "--report"])
    said = capsys.readouterr().out
    assert "| dual, averaged | 1 |" in said
    assert "| dual, guided |" not in said
    assert "Not trained yet: plain, averaged" not in said

    untouched = (tmp_path / "results" / "plain-seed-0.json").stat().st_mtime_ns
    run(store, tmp_path, "--only", "plain", "dual")
    assert "lacks its choice; it is made anew" in capsys.readouterr().out
    assert results(tmp_path) == expected
    assert (tmp_path / "results" / "plain-seed-0.json").stat().st_mtime_ns == untouched


def test_what_a_variant_is_guided_by_is_chosen_on_validation_slices(
    store, tmp_path, monkeypatch
) -> None:
    chosen_on = []

    def choose(images, guides, known) -> ChosenStrength:
        chosen_on.append([slice_.truth for slice_ in known])
        return choose_strength(images, guides, known)

    monkeypatch.setattr(streak_questions, "choose_strength", choose)
    run(store, tmp_path, "--only", "plain", "dual")
    validation = load_slices(open_slices(store), "val")
    [truths] = chosen_on
    np.testing.assert_array_equal(truths, validation.maps["truth"])


def test_a_guided_filter_smooths_all_but_the_edges_of_its_guide() -> None:
    noise = np.random.default_rng(0).normal(0, 0.3, (64, 64))
    edge = np.where(np.arange(64) < 32, 0.0, 1.0) * np.ones((64, 1))
    image, guide = (2.5 * edge + noise).astype(np.float32), (20 - 15 * edge).astype(np.float32)
    found = guided_filter(image, guide, Strength(4, 9.0))
    assert found[8:-8, 8:26].std() < 0.25 * image[8:-8, 8:26].std()
    assert found[:, 32].mean() - found[:, 31].mean() > 1.6
    blind = guided_filter(image, np.full_like(guide, 20), Strength(4, 9.0))
    assert blind[:, 32].mean() - blind[:, 31].mean() < 1
    narrower = guided_filter(image, guide, Strength(2, 9.0))
    assert found[8:-8, 8:26].std() < narrower[8:-8, 8:26].std()
    blurred = guided_filter(image, guide, Strength(4, 900.0))
    assert blurred[:, 32].mean() - blurred[:, 31].mean() < 1


WEAK, FAIR, STRONG = Strength(2, 3.0), Strength(4, 9.0), Strength(6, 27.0)
BEFORE = Levels(cnr=2.0, lung_bias=0.01, fwhm_mm=5.0)


@pytest.mark.parametrize(
    ("strong", "expected"),
    [
        (Levels(9.0, 0.01, 5.5), (STRONG, True)),
        (Levels(9.0, -0.06, 5.5), (FAIR, True)),
        (Levels(9.0, 0.01, 5.6), (FAIR, True)),
        (Levels(math.nan, 0.01, 5.5), (FAIR, True)),
        (Levels(9.0, math.nan, 5.5), (FAIR, True)),
    ],
    ids=["highest", "biased", "wide", "no contrast", "no lung"],
)
def test_the_highest_contrast_within_the_limits_is_chosen(strong, expected) -> None:
    reached = {WEAK: Levels(3.0, 0.0, 5.1), FAIR: Levels(4.0, 0.02, 5.4), STRONG: strong}
    assert best_strength(BEFORE, reached) == expected


def test_without_any_within_the_limits_the_least_bias_is_chosen() -> None:
    nowhere = {
        WEAK: Levels(math.nan, math.nan, math.nan),
        FAIR: Levels(4.0, -0.06, 5.0),
        STRONG: Levels(9.0, 0.2, 5.0),
    }
    assert best_strength(BEFORE, nowhere) == (FAIR, False)
    unmeasured = {strength: Levels(math.nan, 0.0, math.nan) for strength in (WEAK, FAIR)}
    assert best_strength(Levels(math.nan, 0.0, math.nan), unmeasured) == (WEAK, False)
