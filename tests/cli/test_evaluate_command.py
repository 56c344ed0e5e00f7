"""`dfsynth evaluate` from files to files."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from dfsynth.score import LEARNED_SCORES


@pytest.fixture
def pairs(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders of 40 images each."""
    folders = tmp_path / "radiographs", tmp_path / "dark-field"
    for folder in folders:
        folder.mkdir()
    for number in range(40):
        rng = np.random.default_rng(number)
        image = cv2.resize(rng.random((6, 6)), (32, 32)) * 60_000
        cv2.imwrite(str(folders[0] / f"{number}.png"), image.astype(np.uint16))
        target = image * 0.5 + 3000 * rng.random((32, 32))
        cv2.imwrite(str(folders[1] / f"{number}.png"), target.astype(np.uint16))
    return folders


def test_two_folders_become_figures_and_a_drawing(
    run_cli, tiny_checkpoint: Path, pairs: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "evaluation"
    status, stdout, stderr = run_cli(
        *("evaluate", tiny_checkpoint, "--data", pairs[0], "--targets", pairs[1]),
        *("--mc-samples", 2, "--device", "cpu", "--ood", pairs[1], "--limit", 3),
        *("--out", out, "--json"),
    )
    assert status == 0, stderr
    found = json.loads(stdout)
    assert found.pop("schema") == {"name": "dfsynth.evaluation", "version": 1}
    assert found == json.loads((out / "metrics.json").read_text())
    assert len(found["stages"]) == 2
    assert found["stages"][1]["whole"]["noisy"]["mse"]["value"] > 0
    assert found["stages"][1]["whole"]["clean"] is None
    assert found["ood"]["images"] == 3
    assert 0 <= found["ood_auroc"]["aleatoric_mean"]["value"] <= 1
    drawing = cv2.imread(str(out / "evaluation.png"))
    assert drawing is not None
    assert drawing.shape[0] > 800
    assert 20 < drawing.std() < 120, "neither blank nor black"
    assert found["risk_coverage"] is None, "two folders know no clean target"
    assert cv2.imread(str(out / "risk_coverage.png")) is not None
    lines = list(csv.DictReader((out / "images.csv").read_text().splitlines()))
    assert {line["stage"] for line in lines} == {"1", "2"}


def test_people_read_a_table(run_cli, tiny_checkpoint: Path, pairs: tuple[Path, Path]) -> None:
    status, stdout, stderr = run_cli(
        *("evaluate", tiny_checkpoint, "--data", pairs[0], "--targets", pairs[1]),
        *("--mc-samples", 1, "--device", "cpu", "--limit", 2, "--split", "train"),
    )
    assert status == 0, stderr
    assert "2 whole noisy" in stdout
    assert "not for diagnosis" in stdout
    assert "may have been trained" in stdout


def test_simulated_pairs_have_risk_against_coverage(run_cli, tmp_path: Path) -> None:
    files = Path(__file__).parents[1] / "data" / "v0_1"
    command = [
        *("evaluate", files / "checkpoint", "--data", files / "pairs.zarr", "--split", "all"),
        *("--mc-samples", 1, "--device", "cpu", "--out", tmp_path / "evaluation"),
    ]
    status, stdout, stderr = run_cli(*command, "--json")
    assert status == 0, stderr
    found = json.loads(stdout)["risk_coverage"]
    assert found.keys() == {"shape", "lung_mae"}
    keys = {"images", "area", "excess_area", "share_of_oracle_70", "spearman", "curve"}
    for ranked in found.values():
        assert all(figures.keys() == keys for figures in ranked.values())
        areas = {name: figures["area"]["value"] for name, figures in ranked.items()}
        assert min(areas.values()) == areas["oracle"] > 0
        assert ranked["uncertainty"]["area"].keys() == {"value", "low", "high"}
    stdout = run_cli(*command)[1]
    assert "risk against coverage, shape: score, area" in stdout
    left_out = next(x for x in stdout.splitlines() if "risk against coverage leaves out" in x)
    assert all(name in left_out for name in LEARNED_SCORES)
    assert "risk_coverage.png" in stdout


def test_an_output_that_cannot_be_written_is_refused_before_anything_is_computed(
    run_cli, tiny_checkpoint: Path, pairs: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "taken"
    out.write_text("a file")
    status, stdout, stderr = run_cli(
        *("evaluate", tiny_checkpoint, "--data", pairs[0], "--targets", pairs[1], "--out", out)
    )
    assert (status, stdout) == (1, "")
    assert f"cannot write {out}" in stderr
    assert "images" not in stderr


def test_figures_are_printed_although_their_files_cannot_be_written(
    run_cli, tiny_checkpoint: Path, pairs: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "evaluation"
    (out / "metrics.json").mkdir(parents=True)
    status, stdout, stderr = run_cli(
        *("evaluate", tiny_checkpoint, "--data", pairs[0], "--targets", pairs[1]),
        *("--mc-samples", 1, "--device", "cpu", "--limit", 2, "--out", out),
    )
    assert status == 1
    assert "2 whole noisy" in stdout
    assert "cannot write" in stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--split", "tests"), "--split tests: expected"),
        (("--calibration", "card"), "has no factors"),
        (("--ood", "/nowhere"), "/nowhere"),
        (("--device", "tpu"), "unknown device"),
    ],
)
def test_a_wrong_option_is_one_line(
    run_cli, tiny_checkpoint: Path, pairs: tuple[Path, Path], options, sentence: str
) -> None:
    status, stdout, stderr = run_cli(
        *("evaluate", tiny_checkpoint, "--data", pairs[0], "--targets", pairs[1], *options)
    )
    assert (status, stdout) == (2, "")
    assert stderr.startswith("error: ") or "\nerror: " in stderr
    assert sentence in stderr


def test_no_such_checkpoint_and_no_such_pairs(run_cli, tiny_checkpoint: Path, tmp_path: Path):
    assert run_cli("evaluate", "nobody", "--data", tmp_path)[0] == 2
    assert run_cli("evaluate", tiny_checkpoint, "--data", tmp_path / "none")[0] == 2
