"""`dfsynth simulate --validate`."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from documents import require_document
from measured_scans import ANIMALS, write_lobes
from typer.testing import CliRunner

from dfsynth.cli.app import app
from dfsynth.simulation.validation import Person, TargetResult, cohort
from dfsynth.simulation.validation.cohort import tabulate_results

FINDINGS = (
    TargetResult(
        "mean", "by construction", "1/m", (2.4, 2.6), "published", 2.51, (2.45, 2.57), "yes"
    ),
    TargetResult("ratio", "emergent", "", (0.4, 0.5), "published", 0.49, (0.47, 0.51), "in doubt"),
    TargetResult("area", "emergent", "cm²", (350, 600), "assumed", 700.0, (650.0, 750.0), "no"),
)


def test_the_table_says_what_is_met_and_what_is_not() -> None:
    lines = tabulate_results(FINDINGS).splitlines()
    assert len(lines) == 5
    assert "2.51 (2.45 to 2.57)" in lines[2]
    for line, met in zip(lines[2:], ("yes", "in doubt", "NO"), strict=True):
        assert f"| {met} |" in line


def test_too_few_phantoms_are_refused_before_any_is_made() -> None:
    found = CliRunner().invoke(app, ["simulate", "--validate", "--n", "3"])
    assert found.exit_code == 2
    assert "at least 20" in found.stderr


def test_a_negative_seed_is_refused() -> None:
    found = CliRunner().invoke(app, ["simulate", "--validate", "--seed", "-1"])
    assert found.exit_code == 2
    assert "--seed -1: expected 0 or more" in found.stderr


@pytest.mark.parametrize(
    "option",
    [
        ("--severity", "0:1"),
        ("--severity", "0.9:0.1"),
        ("--size", "256"),
        ("--device", "cpu"),
        ("--out", "x.zarr"),
        ("--dry-run",),
        ("--strict",),
    ],
)
def test_what_validation_would_ignore_is_refused(
    option: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(cohort, "validate_cohort")
    found = CliRunner().invoke(app, ["simulate", "--validate", "--seed", "1", *option])
    assert found.exit_code == 2
    assert f"--validate: expected no {option[0]}" in found.stderr


@pytest.mark.parametrize("task", ["mri-motion", "radiography"])
def test_a_task_of_which_nothing_is_published_is_refused(
    task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(cohort, "validate_cohort")
    found = CliRunner().invoke(app, ["simulate", "--validate", "--task", task])
    assert found.exit_code == 2
    assert f"--validate --task {task}: expected dark-field-radiography or" in found.stderr


def test_scans_are_not_compared_with_measured_radiographs(tmp_path: Path) -> None:
    command = ["simulate", "--validate", "--task", "dark-field-ct", "--measured", str(tmp_path)]
    found = CliRunner().invoke(app, command)
    assert found.exit_code == 2
    assert "expected --task dark-field-radiography, found dark-field-ct" in found.stderr


def test_a_task_of_volumes_asks_for_their_folder_and_not_for_a_number(tmp_path: Path) -> None:
    command = ["simulate", "--task", "mri-motion", "--out", str(tmp_path / "x.zarr")]
    found = CliRunner().invoke(app, command)
    assert found.exit_code == 2
    assert "--task mri-motion: expected --volumes DIR, found none" in found.stderr


def test_without_validate_a_store_is_asked_for() -> None:
    found = CliRunner().invoke(app, ["simulate", "--n", "3"])
    assert found.exit_code == 2
    assert "--out" in found.stderr


@pytest.mark.parametrize(("passed", "status"), [(True, 0), (False, 1)])
def test_the_exit_status_says_whether_all_is_met(
    passed: bool, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = cohort.CohortValidation(20, 0, FINDINGS, passed)
    monkeypatch.setattr(cohort, "validate_cohort", lambda *_: found)
    result = CliRunner().invoke(app, ["simulate", "--validate", "--json"])
    assert result.exit_code == status
    document = require_document(result.stdout)
    assert document["passed"] is passed
    assert document["findings"][-1]["value"] == 700.0


@pytest.fixture
def quick_phantoms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Phantoms that take no time: each measure is 1, but for the seed's share of emphysema."""
    names = [field.name for field in dataclasses.fields(Person)]
    usual: dict[str, Any] = dict.fromkeys(names, 1.0) | {"male": True}

    def measure(seed: int) -> Person:
        return Person(**usual | {"severity": seed % 2})

    monkeypatch.setattr(cohort, "measure_person", measure)
    monkeypatch.setattr(cohort, "TARGETS", ())


@pytest.mark.usefixtures("quick_phantoms")
def test_measured_images_stand_beside_the_phantoms(tmp_path: Path) -> None:
    write_lobes(tmp_path)
    command = ["simulate", "--validate", "--n", "20", "--measured", str(tmp_path)]
    found = CliRunner().invoke(app, [*command, "--json"])
    assert found.exit_code == 0
    measured = require_document(found.stdout)["measured"]
    rows = {row["name"]: row for row in measured["rows"]}
    ratio = rows["the same, exposed over control"]
    assert ratio["measured"]["value"] == pytest.approx(0.832, abs=0.01)
    assert ratio["simulated"]["value"] == pytest.approx(1.0)
    assert {animal["name"] for animal in measured["animals"]} == set(ANIMALS)
    assert len(measured["lobes"]) == 2 * len(ANIMALS)
    read = CliRunner().invoke(app, command)
    assert read.exit_code == 0
    assert read.stdout.index("| target |") < read.stdout.index("| measured images |")
    assert "says nothing of the coefficient in 1/m" in read.stdout


@pytest.mark.usefixtures("quick_phantoms")
def test_without_measured_images_none_are_spoken_of() -> None:
    found = CliRunner().invoke(app, ["simulate", "--validate", "--n", "20", "--json"])
    assert found.exit_code == 0
    assert require_document(found.stdout)["measured"] is None


def test_a_wrong_folder_is_said_before_any_phantom_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(cohort, "measure_person")
    found = CliRunner().invoke(app, ["simulate", "--validate", "--measured", str(tmp_path)])
    assert found.exit_code == 2
    assert found.stderr.startswith(f"error: --measured {tmp_path}: found no table")
    assert found.stderr.count("\n") == 1


def test_measured_images_without_validate_are_refused(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["simulate", "--n", "3", "--measured", str(tmp_path)])
    assert found.exit_code == 2
    assert f"--measured {tmp_path}: expected --validate beside it" in found.stderr
