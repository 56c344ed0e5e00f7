"""The comparison of methods: folds, budgets and tests are fair, and nothing is done twice."""

import importlib
import operator
import os
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from head_volumes import head, write_head
from kept_runs import KeptRuns
from paper_folds import Fold, deal
from paper_inputs import measure_inputs, tabulate_inputs
from paper_methods import (
    CASCADE,
    ENSEMBLE,
    GUIDANCE,
    HETEROSCEDASTIC,
    METHODS,
    PROGRESSIVE,
    UNET,
    Budget,
    recipe_of,
)
from paper_patients import has_patients
from paper_report import tabulate_methods, tabulate_stages
from paper_runs import RATES, FoldResult, Study
from paper_scores import MAE, MISCOVERAGE, SSIM, differences, mean, risk_area, scores
from paper_work import TASKS, Job, Place, collect, parser_of, work
from shared_work import in_one_line, share_work

import dfsynth
from dfsynth.errors import UsageError
from dfsynth.files.json_record import parse_object
from dfsynth.train.families import family_of
from dfsynth.train.recipe import recipe_entries

PATIENTS = [f"p{n:02}" for n in range(13)]
FOLDS = [Fold(number, 3) for number in range(3)]


def test_every_patient_is_tested_once_and_in_one_group_of_a_fold():
    tested = [p for fold in FOLDS for p, g in fold.groups(PATIENTS).items() if g == "test"]
    assert sorted(tested) == PATIENTS
    for fold in FOLDS:
        groups = fold.groups(PATIENTS)
        assert set(groups) == set(PATIENTS)
        assert set(groups.values()) == {"train", "val", "calibration", "test"}


@pytest.mark.parametrize("number", range(3))
def test_patients_of_few_are_among_those_of_many_and_the_same_are_tested(number):
    def named(count: int | None, group: str) -> set[str]:
        return {p for p, g in Fold(number, 3, count).groups(PATIENTS).items() if g == group}

    assert named(2, "train") < named(5, "train") <= named(None, "train")
    assert len(named(2, "train")) == 2
    for group in ("val", "calibration", "test"):
        assert named(2, group) == named(None, group)


def test_too_few_patients_are_refused():
    with pytest.raises(UsageError, match="expected 29 or more: fewer folds, or more patients"):
        Fold(0, 3, 29).groups(PATIENTS)


@pytest.mark.parametrize("task", TASKS)
def test_methods_differ_in_nothing_but_what_their_papers_are_about(task):
    recipes = [recipe_of(m, task, Budget(), 1e-3, 7) for m in (*METHODS, *GUIDANCE, *PROGRESSIVE)]
    counts = []
    for recipe in recipes:
        with torch.device("meta"):
            network = family_of(recipe.network).build(recipe.network)
        counts.append(sum(weight.numel() for weight in network.parameters()))
        assert sum(phase.steps or 0 for phase in recipe.phase) == Budget().steps
        alike = (recipe.task, recipe.size, recipe.batch, recipe.seed, recipe.augmentation)
        assert alike == (task, 64, 8, 7, recipes[0].augmentation)
        assert recipe.optimiser.ema_decay == recipes[0].optimiser.ema_decay
        assert recipe.window == recipes[0].window
    assert max(counts) < 1.1 * min(counts)


@pytest.mark.parametrize("task", TASKS)
def test_a_residual_is_every_methods_and_of_tasks_that_know_it_alone(task, tmp_path):
    words = ["--pairs", "pairs", "--out", str(tmp_path), "--tasks", task]
    plain, asked = (
        Place.of(parser_of("Any.").parse_args([*words, *more]), task)
        for more in ([], ["--residual", "0.25"])
    )
    wanted = 0.25 if task.startswith("mri") else 0.0
    assert (plain.budget.residual, asked.budget.residual) == (0.0, wanted)
    assert (plain.out == asked.out) == (not wanted)
    assert asked.data == plain.data
    for method in (*METHODS, *GUIDANCE, *PROGRESSIVE):
        recipe, before = (
            recipe_of(method, task, place.budget, 1e-3, 7) for place in (asked, plain)
        )
        assert replace(recipe, network=before.network) == before
        entries = recipe_entries(recipe)["network"]
        assert entries.pop("residual", 0.0) == wanted
        assert entries == recipe_entries(before)["network"]


def test_a_method_better_in_every_patient_is_found_and_chance_is_not():
    rng = np.random.default_rng(0)
    ours = dict(zip(PATIENTS, rng.normal(0.7, 0.1, 13), strict=True))
    others = {
        "worse": {p: v - 0.05 + 0.01 * rng.normal() for p, v in ours.items()},
        "alike": {p: v + 0.01 * rng.normal() for p, v in ours.items()},
        "equal": dict(ours),
    }
    found = differences(others, ours)
    worse, p = found["worse"]
    assert worse.interval.high is not None
    assert worse.interval.high < -0.04
    assert p == pytest.approx(3 * worse.p)
    assert p < 0.01
    assert found["alike"][1] > 0.05
    assert (found["equal"][0].interval.value, found["equal"][1]) == (0.0, 1.0)


def test_scores_are_means_of_patients_and_of_the_stage_that_is_asked_for():
    tests = [fold_of_figures(0, {"a": [0.5, 0.7], "b": [0.9]})]
    assert scores(tests, SSIM) == {"a": pytest.approx(0.6), "b": 0.9}
    assert scores(tests, SSIM, stage=1) == {"a": pytest.approx(0.5), "b": pytest.approx(0.8)}
    assert mean(scores(tests, SSIM)).value == pytest.approx(0.75)
    assert scores(tests, MISCOVERAGE) == {p: pytest.approx(0.1) for p in "ab"}


def test_risk_is_that_of_chance_where_sigma_is_one_and_less_where_it_ranks():
    ranked = [fold_of_figures(0, {p: [n / 10] for n, p in enumerate(PATIENTS, 1)})]
    constant = [fold_of_figures(0, {p: [n / 10] for n, p in enumerate(PATIENTS, 1)}, sigma=1.0)]
    assert risk_area(constant) == pytest.approx(1.0)
    assert risk_area(ranked) < 0.8


def fold_of_figures(
    number: int, figures: dict[str, list[float]], sigma: float | None = None
) -> FoldResult:
    """SSIM, error and uncertainty of two stages, of which the first has 0.1 less."""
    rows = [
        {
            **{"patient_id": patient, "key": f"{patient}{n}", "region": "whole", "stage": stage},
            **{"ssim": value - 0.1 * (2 - stage), "error": value, "coverage_90": 0.8},
            "uncertainty": value if sigma is None else sigma,
        }
        for patient, values in figures.items()
        for n, value in enumerate(values)
        for stage in (1, 2)
    ]
    return FoldResult("any", Fold(number, 1), 1, 1e-3, rows, 1.0, 0.1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Pairs of six heads, and a budget of two steps."""
    folder = tmp_path_factory.mktemp("papers")
    (folder / "heads").mkdir()
    for number in range(6):
        write_head(folder / "heads" / f"head{number}.nii.gz", head(number))
    pairs = folder / "mri-undersampled.zarr"
    dfsynth.simulate_pairs(
        out=pairs, task="mri-undersampled", volumes=folder / "heads", n=48, size=64
    )
    return Place(folder / "out", "mri-undersampled", pairs, Budget(64, 2, 4), 2)


def test_inputs_are_measured_on_the_images_that_a_method_was_tested_on(place):
    study = place.open()
    first = study.measured.rows[0]
    rows = [{"key": first.key, "patient_id": first.patient_id, "stage": 1, "region": "whole"}]
    tested = replace(fold_of_figures(0, {}), rows=[*rows, {**rows[0], "stage": 2}])
    [row] = measure_inputs(study, tested).rows
    pair = study.measured.read(0)
    assert row["mae"] == pytest.approx(np.abs(pair.image - pair.target).mean(), rel=1e-5)
    assert row["psnr"] == pytest.approx(-10 * np.log10(row["mse"]))
    assert 0 < row["ssim"] < 1
    both = fold_of_figures(0, {first.patient_id: [0.5]}).rows
    ours = [replace(tested, rows=[{**r, **row, "stage": r["stage"]} for r in both])]
    assert "+0, p 1 | +0, p 1 | +0, p 1" in "\n".join(tabulate_inputs(study, ours, "cascade"))
    assert tabulate_inputs(study, [], "cascade") == []


@pytest.mark.slow
def test_jobs_are_done_once_and_tabulated(place, capfd):
    methods = (UNET, CASCADE, HETEROSCEDASTIC, ENSEMBLE)
    jobs = [Job(method, 0) for method in methods]
    given = Namespace(minutes=10.0, workers=2)
    work(place, jobs, given)
    study = place.open()
    tests = collect(study, methods)
    assert [len(found) for found in tests.values()] == [1, 1, 1, 1]
    kept = {path: path.stat().st_mtime_ns for path in (place.out / "results").iterdir()}
    work(place, jobs, given)
    assert {path: path.stat().st_mtime_ns for path in (place.out / "results").iterdir()} == kept
    # A process that waited for another's last test may name it too.
    said = capfd.readouterr().out
    assert all(f": {method.name}, fold 0" in said for method in methods)
    # Members are the network itself and two more.
    assert tests[ENSEMBLE.name][0].train_seconds > tests[HETEROSCEDASTIC.name][0].train_seconds
    table = "\n".join(tabulate_methods(tests, CASCADE.name))
    assert all(name in table for name in tests)
    assert "cascade, stage 3" in "\n".join(tabulate_stages({"cascade": tests["cascade"]}))
    assert scores(tests[UNET.name], MAE).keys() == patients_of(study, "test")


class DyingRuns(KeptRuns):
    """Dies once a training is done, and before what it came to is kept."""

    def write(self, *_: object) -> None:
        raise KeyboardInterrupt


def test_a_training_that_was_killed_at_its_very_end_is_timed_anew(place, tmp_path):
    study = place.open()
    with pytest.raises(KeyboardInterrupt):
        replace(study, kept=DyingRuns.open(tmp_path)).best_rate(UNET)
    assert replace(study, kept=KeptRuns.open(tmp_path)).best_rate(UNET) in RATES
    kept = [parse_object(path.read_bytes()) for path in (tmp_path / "results").iterdir()]
    seconds = [result["seconds"] for result in kept]
    assert len(seconds) == len(RATES)
    assert min(seconds) > 0


def patients_of(study: Study, group: str) -> set[str]:
    return {r.patient_id for r in deal(study.learned, study.fold(0)).rows if r.split == group}


def test_without_time_nothing_is_begun(place):
    work(place, [Job(UNET, 1)], Namespace(minutes=0.0, workers=1))
    assert not collect(place.open(), [UNET])[UNET.name][1:]


def test_counts_of_patients_that_there_are_not_are_known(place):
    study = place.open()
    assert has_patients(study, 1)
    assert not has_patients(study, 5)


def test_pairs_of_another_kind_are_refused(tmp_path: Path, place):
    folder = tmp_path / "inputs"
    folder.mkdir()
    with pytest.raises(UsageError):
        Study.open(tmp_path / "out", "mri-undersampled", folder, Budget(32, 2, 4), 2)


def test_pairs_that_are_smaller_than_what_is_trained_are_refused(tmp_path: Path, place):
    with pytest.raises(UsageError, match=r"has pairs of 64 x 64 pixels; expected 128 .*--size 128"):
        Study.open(tmp_path / "out", "mri-undersampled", place.data, Budget(128, 2, 4), 2)
    assert not (tmp_path / "out").exists()


SCRIPTS = ("paper_table", "paper_guidance", "paper_patients", "paper_phases", "paper_sampling")


@pytest.fixture(params=SCRIPTS)
def script(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, place: Place, tmp_path: Path
) -> Callable[..., None]:
    """Runs a script of the comparison on the pairs of heads."""

    def run(*words: str) -> None:
        given = ["--pairs", str(place.data.parent), "--out", str(tmp_path / "out"), "--folds", "2"]
        monkeypatch.setattr(sys, "argv", [f"{request.param}.py", *given, *words])
        in_one_line(importlib.import_module(request.param).main)

    return run


def test_pairs_that_are_not_there_are_one_line_before_anything_is_begun(script, tmp_path):
    with pytest.raises(SystemExit) as ended:
        script("--tasks", "mri-undersampled", "pet-ct")
    line = str(ended.value.code)
    assert line.startswith("error: there is no ")
    assert "pet-ct.zarr" in line
    assert "\n" not in line
    assert not any(path.is_file() for path in (tmp_path / "out").rglob("*"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_one_line_before_anything_is_begun(script, tmp_path):
    with pytest.raises(SystemExit, match=r"^error: device 'cuda' is not there"):
        script("--tasks", "mri-undersampled", "--gpu")
    assert not (tmp_path / "out").exists()


def test_where_nothing_is_done_a_report_says_so_and_draws_nothing(script, tmp_path, capsys):
    """matplotlib warns of a legend of nothing, which tests take for an error."""
    script("--tasks", "mri-undersampled", "--minutes", "0")
    assert "mri-undersampled: no results yet" in capsys.readouterr().out
    assert not list((tmp_path / "out").rglob("*.png"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_what_a_gpu_has_trained_is_reported_without_one():
    words = ["--pairs", "pairs", "--out", "out", "--gpu"]
    begun, reported = (
        Place.of(parser_of("Any.").parse_args([*words, *more]), TASKS[0])
        for more in ([], ["--minutes", "0"])
    )
    assert (begun.device, reported.device) == ("cuda", "cpu")
    assert begun.budget == reported.budget


def test_processes_that_die_are_told_of(capfd):
    share_work(partial(os._exit, 9), [1], operator.eq, 2, 1.0)
    assert "2 of 2 processes died; the same command goes on" in capfd.readouterr().err
