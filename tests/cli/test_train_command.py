"""`dfsynth train`: what it prints, and one clear line for each mistake."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from error_lines import one_line
from pair_files import write_pair_folders, write_radiograph, write_signal
from support_training import write_recipe

from dfsynth.checkpoint import encode_card, read_checkpoint

LINES = ("[network]", "stages = 1", "widths = [8, 16]", "[loss]", "residual_box = 3")


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    inputs, targets = write_pair_folders(tmp_path, 8)
    recipe = write_recipe(tmp_path, *LINES)
    return [
        *("train", str(recipe), "--data", str(inputs), "--targets", str(targets)),
        *("--out", str(tmp_path / "run"), "--precision", "fp32"),
    ]


def test_a_dry_run_prints_the_whole_recipe_and_writes_nothing(arguments, tmp_path, run_cli):
    status, out, _ = run_cli(*arguments, "--dry-run")
    assert status == 0
    for text in (
        "network.stages = 1",
        "optimiser.betas",
        "phase.one.steps = 4",
        "memory:",
        "time:",
    ):
        assert text in out
    assert not (tmp_path / "run").exists()


def test_a_dry_run_as_json(arguments, run_cli):
    status, out, _ = run_cli(*arguments, "--dry-run", "--json")
    found = json.loads(out)
    assert status == 0
    assert found["recipe"]["network"]["widths"] == [8, 16]
    assert found["steps"] == 4
    assert sum(found["pairs"].values()) == 8


def test_a_run_as_json(arguments, tmp_path, run_cli):
    status, out, err = run_cli(*arguments, "--json")
    found = json.loads(out)
    assert status == 0
    assert found["steps"] == found["steps_now"] == 4
    assert found["best"] == str(tmp_path / "run" / "best")
    assert "without a patient" in err


def test_a_recipe_is_fitted_to_a_task_and_says_what_that_changes(arguments, tmp_path, run_cli):
    for path in (tmp_path / "attenuation").iterdir():
        path.unlink()
    for number in range(8):
        write_signal(tmp_path / "attenuation" / f"case{number:03d}.tif", 100 + number)
    status, out, err = run_cli(
        *arguments, "--task", "mri-motion", "--size", "64", "--dry-run", "--json"
    )
    recipe = json.loads(out)["recipe"]
    assert status == 0
    assert (recipe["task"], recipe["size"]) == ("mri-motion", 64)
    assert "task = mri-motion (was dark-field-radiography)" in err


def test_a_member_has_a_seed_of_its_own(arguments, run_cli):
    seeds = set()
    for member in ([], ["--member", "0"], ["--member", "1"]):
        status, out, _ = run_cli(*arguments, *member, "--dry-run", "--json")
        assert status == 0
        seeds.add(json.loads(out)["recipe"]["seed"])
    assert len(seeds) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train": "no-such-recipe"}, "no recipe 'no-such-recipe'"),
        ({"--data": "nowhere"}, "nowhere"),
        ({"--device": "cuda:99"}, "is not there"),
        ({"--precision": "fp16"}, "fp16"),
        ({"--task": "mri-motin"}, "no task 'mri-motin'"),
        ({"--size": "17"}, "size = 17 cannot be divided by"),
        ({"--member": "-1"}, "--member -1: expected 0 or more"),
    ],
)
def test_mistakes_are_reported_in_one_line(arguments, run_cli, change, message):
    for option, value in change.items():
        if option in arguments:
            arguments[arguments.index(option) + 1] = value
        else:
            arguments += [option, value]
    status, _, err = run_cli(*arguments)
    assert status == 2
    assert message in one_line(err)


def test_an_unpaired_file_is_named(arguments, tmp_path, run_cli):
    write_radiograph(tmp_path / "attenuation" / "alone.png", 99)
    status, _, err = run_cli(*arguments)
    assert status == 2
    assert "alone.png" in one_line(err)
    assert not (tmp_path / "run").exists()


def test_what_a_kill_left_uncalibrated_is_calibrated_by_the_next_call(arguments, tmp_path, run_cli):
    for number in range(8, 40):
        write_radiograph(tmp_path / "attenuation" / f"case{number:03d}.png", number)
        write_signal(tmp_path / "dark" / f"case{number:03d}.tif", number)
    assert run_cli(*arguments, "-q")[0] == 0
    best = tmp_path / "run" / "best"
    calibrated = read_checkpoint(best).card
    assert "0.9" in calibrated.calibration
    (best / "model.json").write_text(encode_card(replace(calibrated, calibration={})))
    assert run_cli(*arguments, "-q")[0] == 0
    assert read_checkpoint(best).card.calibration == calibrated.calibration
