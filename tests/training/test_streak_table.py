"""The table of streak configurations: killed and called again it gives the same, and reports."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streak_pairs import simulate_slices
from streak_report import report
from streak_runs import CONFIGURATIONS, Run, Study, ordered_runs
from streak_table import chosen, seeds_of

from dfsynth.errors import ConflictError, UsageError
from dfsynth.resources import data_folder

SCRIPT = Path(__file__).parents[2] / "training" / "streak_table.py"
ONLY, SEEDS = "l2-none,l2-fs-smooth", "0-1"
RUNS = ordered_runs(chosen(ONLY), seeds_of(SEEDS))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small store, and the packaged recipe made tiny."""
    found = tmp_path_factory.mktemp("streaks")
    simulate_slices(found)
    text = (data_folder("recipes") / "streak-table.toml").read_text()
    for usual, tiny in {
        "size = 200": "size = 64",
        "batch = 16": "batch = 2",
        "checkpoint_every = 150": "checkpoint_every = 1",
        "widths = [8, 16, 32, 64, 128]": "widths = [4, 8]",
        "crop = 64": "crop = 32",
        "every_steps = 150": "every_steps = 1",
        "steps = 600": "steps = 2",
    }.items():
        assert text.count(usual) == 1
        text = text.replace(usual, tiny)
    (found / "tiny.toml").write_text(text)
    return found


@pytest.fixture(scope="module")
def whole(folder: Path) -> Study:
    """All runs, trained without a stop."""
    study = opened(folder, "whole")
    # As the script's processes have it: sums in another order differ in the last digits.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    assert [study.finish(run) for run in RUNS] == [True] * 4
    torch.set_num_threads(before)
    return study


def opened(folder: Path, out: str) -> Study:
    return Study.open(folder / out, folder / "slices.zarr", str(folder / "tiny.toml"))


def command(folder: Path, out: str) -> list[str]:
    places = ["--data", folder / "slices.zarr", "--out", folder / out]
    options = ["--recipe", folder / "tiny.toml", "--only", ONLY, "--seeds", SEEDS]
    return [sys.executable, *map(str, [SCRIPT, *places, *options])]


def kill_after_the_first_result(arguments: Sequence[str], results: Path) -> None:
    process = subprocess.Popen(arguments, start_new_session=True)
    while process.poll() is None and not any(results.glob("l2-*.json")):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_killed_and_called_again_it_gives_the_same_figures(folder, whole):
    assert not any(whole.finish(run) for run in RUNS)
    kill_after_the_first_result(command(folder, "killed"), folder / "killed" / "results")
    killed = opened(folder, "killed")
    assert any(killed.result_of(run) is None for run in RUNS)
    subprocess.run(command(folder, "killed"), check=True)
    for run in RUNS:
        first, second = whole.result_of(run), killed.result_of(run)
        assert first is not None
        assert second is not None
        assert str(first.slices) == str(second.slices)
        kept = {path.name for path in (folder / "killed" / "runs" / run.name).iterdir()}
        assert kept == {"best", "metrics.jsonl", "run.json", "lock"}


def test_seeds_and_losses_give_results_of_their_own(whole):
    found = [whole.result_of(run) for run in RUNS]
    assert len({str(result.slices) for result in found if result is not None}) == 4


def test_a_report_tells_what_there_is(whole):
    text = "\n".join(report(whole, ordered_runs(CONFIGURATIONS, (0, 1))))
    assert text.startswith("4 of 36 runs; ")
    for wanted in ("| L2 F+S smooth |", "| L2 none | L2 F+S smooth | 2 / 2 |", "| all rotations |"):
        assert wanted in text
    assert report(whole, ordered_runs(CONFIGURATIONS, (5,)))[0].startswith("0 of 18 runs")


def test_the_target_is_nearer_to_the_truth_than_the_input(whole):
    figures = [whole.untrained(name).values() for name in ("target", "input")]
    for target, given in zip(*figures, strict=True):
        assert target["rmse_per_m"] < given["rmse_per_m"]


def test_results_of_another_recipe_are_refused(whole):
    other = replace(whole, recipe=replace(whole.recipe, batch=3))
    with pytest.raises(ConflictError, match="another recipe"):
        other.result_of(RUNS[0])


def test_a_run_that_another_process_has_is_left_to_it(folder):
    study = opened(folder, "claimed")
    run = Run(CONFIGURATIONS[0], 0)
    with study.kept.claimed(run.name) as ours:
        assert ours
        assert not study.finish(run)
    assert study.result_of(run) is None


def test_all_configurations_of_the_paper_come_seed_by_seed():
    assert len({c.slug for c in CONFIGURATIONS}) == len(CONFIGURATIONS) == 18
    runs = ordered_runs(CONFIGURATIONS, seeds_of("0-9"))
    assert [run.seed for run in runs] == sorted(run.seed for run in runs)
    assert len({run.name for run in runs}) == 180


def test_wishes_that_cannot_be_met_are_named():
    assert [c.title for c in chosen("l1-s-*")] == ["L1 S linear", "L1 S smooth"]
    assert seeds_of("3") == (3,)
    with pytest.raises(UsageError, match="l2-sf-linear"):
        chosen("l3-*")
    for text in ("one", "9-0", "-3"):
        with pytest.raises(UsageError, match="0-9"):
            seeds_of(text)


def test_a_checkpoint_of_the_table_is_evaluated_as_any(folder, whole, run_cli, tmp_path):
    best = whole.kept.folder(RUNS[0].name) / "best"
    data, out = folder / "slices.zarr", tmp_path / "evaluation"
    asked = ["--split", "all", "--mc-samples", "1", "--calibration", "none", "--json", "-q"]
    status, printed, _ = run_cli("evaluate", best, "--data", data, "--out", out, *asked)
    assert status == 0
    found = json.loads(printed)
    assert found["schema"]["name"] == "dfsynth.slice-evaluation"
    assert found["streaks"] == json.loads((out / "metrics.json").read_text())["streaks"]
    errors = {kind: found["streaks"][kind]["rmse_per_m"]["value"] for kind in ("input", "target")}
    assert errors["target"] < errors["input"]
