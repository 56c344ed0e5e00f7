"""Scans are held against the targets as people are, and the phantoms are what they say."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dfsynth.errors import UsageError
from dfsynth.simulation.dark_field_ct.validation import (
    TARGETS,
    MeasuredScan,
    measure_scan,
    validate_scans,
)
from dfsynth.simulation.dark_field_ct.validation.phantoms import (
    LUNG_PER_M,
    away_from_edges,
    disc_in_the_axis,
    lungs_in_a_body,
)
from dfsynth.simulation.validation import compare_with_targets

GOOD = MeasuredScan(
    disc_error=0.001,
    ellipse_error=-0.01,
    fan_error=0.005,
    noise_ratio=1.01,
    cnr_1=1.7,
    cnr_10=6.5,
    cnr_20=9.4,
    sector_variation=0.6,
    still_variation=0.07,
    streaks_left=0.001,
)


def verdicts(**changed: float) -> dict[str, str]:
    results = compare_with_targets(TARGETS, [replace(GOOD, **changed)] * 5, 0)
    return {result.name: result.met for result in results}


def test_figures_in_the_ranges_meet_all_targets() -> None:
    assert set(verdicts().values()) == {"yes"}


@pytest.mark.parametrize(
    ("field", "value", "missed"),
    [
        ("disc_error", 0.03, "error of the coefficient, disc, parallel beam"),
        ("fan_error", -0.03, "error of the coefficient, ellipses, fan beam"),
        ("noise_ratio", 1.2, "variance of the retrieved dark-field over the formula's"),
        ("cnr_1", 2.1, "contrast to noise, one rotation"),
        ("streaks_left", 0.1, "power of streaks left without vibration"),
    ],
)
def test_a_figure_out_of_its_range_misses_its_target(field: str, value: float, missed: str) -> None:
    assert verdicts(**{field: value})[missed] == "no"


def test_only_what_nothing_was_chosen_for_counts_as_emergent() -> None:
    kinds = {target.name: target.kind for target in TARGETS}
    # The amplitudes of vibration were chosen for the first; its growth follows.
    assert kinds["contrast to noise, one rotation"] == "by construction"
    assert kinds["contrast to noise, ten rotations over one"] == "emergent"


def test_phantoms_hold_the_coefficient_that_they_are_measured_by() -> None:
    for phantom in (disc_in_the_axis(96), lungs_in_a_body(96, organs=True)):
        inside = away_from_edges(phantom.lung_mask, phantom.pixel_mm)
        assert inside.sum() > 100
        assert np.all(phantom.dark_field_per_m[inside] == np.float32(LUNG_PER_M))


@pytest.mark.parametrize(("count", "seed"), [(4, 0), (5, -1)])
def test_too_few_scans_or_a_bad_seed_are_refused(count: int, seed: int) -> None:
    with pytest.raises(UsageError, match="expected"):
        validate_scans(count, seed, lambda: None)


@pytest.mark.slow
def test_one_draw_is_what_a_scan_is() -> None:
    found = measure_scan(3)
    for name in ("disc_error", "ellipse_error", "fan_error"):
        assert abs(getattr(found, name)) < 0.02
    assert found.noise_ratio == pytest.approx(1, abs=0.1)
    assert found.cnr_1 < found.cnr_10 < found.cnr_20
    assert found.sector_variation > 4 * found.still_variation
    assert found.streaks_left < 0.02


def test_the_command_prints_the_table(monkeypatch, run_cli) -> None:
    where = "dfsynth.simulation.dark_field_ct.validation.validate.measure_scan"
    monkeypatch.setattr(where, lambda _: GOOD)
    command = ("simulate", "--task", "dark-field-ct", "--validate", "--n", "5")
    status, output, _ = run_cli(*command)
    assert status == 0
    assert "contrast to noise, one rotation" in output
    found = json.loads(run_cli(*command, "--json")[1])
    assert found["passed"] is True
    assert len(found["findings"]) == len(TARGETS)
