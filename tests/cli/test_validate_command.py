"""`dfsynth simulate --validate`."""

import json

import pytest
from typer.testing import CliRunner

from dfsynth.cli.app import app
from dfsynth.simulation.validation import TargetResult, cohort
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
    document = json.loads(result.stdout)
    assert document["passed"] is passed
    assert document["findings"][-1]["value"] == 700.0
