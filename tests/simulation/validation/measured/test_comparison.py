"""Measured images beside the simulator: known figures come back, and nothing more is claimed."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from measured_scans import ANIMALS, write_diluted, write_lobes

from dfsynth.errors import UsageError
from dfsynth.simulation.validation import Person
from dfsynth.simulation.validation.measured import (
    MeasuredRow,
    compare_with_measured,
    read_measured,
    tabulate_comparison,
)


def people(count: int = 40) -> list[Person]:
    names = (field.name for field in dataclasses.fields(Person))
    usual: dict[str, Any] = dict.fromkeys(names, 1.0) | {"male": True}
    rng = np.random.default_rng(3)
    return [
        Person(
            **usual
            | {
                "eps_bar_per_m": float(2.5 * np.exp(rng.normal(0, 0.16))),
                "density": 0.15,
                "eps_bar_ill_ratio": 0.4,
                "density_ill_ratio": 0.5,
                "severity": float(number % 2),
                "spectral_slope": -3.0 if number else float("nan"),
            }
        )
        for number in range(count)
    ]


def rows_of(folder: Path, cohort: list[Person] | None = None) -> dict[str, MeasuredRow]:
    cohort = people() if cohort is None else cohort
    found = compare_with_measured(read_measured(folder), cohort, seed=0)
    return {row.name: row for row in found.rows}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    # One ratio an animal, so that its lobes' sizes do not matter.
    alike = {name: (smoke, ratios[:1] * 2) for name, (smoke, ratios) in ANIMALS.items()}
    return write_lobes(tmp_path / "dried_lung_samples", alike)


def test_the_groups_and_their_ratio_come_back(checkout: Path) -> None:
    rows = rows_of(checkout)
    control, exposed = np.array([22.0, 23.0, 24.5]), np.array([17.0, 22.5])
    means = [float(np.exp(np.log(group).mean())) for group in (control, exposed)]
    found = [
        rows[f"sum of -ln V over sum of -ln T, {name}"] for name in ("controls", "exposed to smoke")
    ]
    for row, mean, group in zip(found, means, (control, exposed), strict=True):
        assert row.measured.value == pytest.approx(mean)
        assert row.kind == "not comparable"
        assert row.simulated.value is None
        # Draws with replacement of so few reach the extremes.
        assert row.measured.low == pytest.approx(group.min())
        assert row.measured.high == pytest.approx(group.max())
    ratio = rows["the same, exposed over control"]
    assert ratio.measured.value == pytest.approx(means[1] / means[0])
    assert ratio.measured.low is not None
    assert ratio.measured.high is not None
    assert 17.0 / 24.5 <= ratio.measured.low < means[1] / means[0] < ratio.measured.high
    assert ratio.kind == "by construction"
    # Emphysema's loss of signal over its loss of mass, of those who have it.
    assert ratio.simulated.value == pytest.approx(0.8)
    assert "20 phantoms" in ratio.basis


def test_the_spread_between_controls_is_that_of_their_logarithms(checkout: Path) -> None:
    row = rows_of(checkout)["spread of its logarithm between controls"]
    assert row.measured.value == pytest.approx(np.log([22.0, 23.0, 24.5]).std(ddof=1))
    own = np.log([person.eps_bar_per_m / 0.15 for person in people()])
    assert row.simulated.value == pytest.approx(own.std(ddof=1))
    assert row.simulated.low is not None
    assert row.simulated.low < own.std(ddof=1)
    assert row.kind == "by construction"


def test_the_unit_is_the_animal(tmp_path: Path) -> None:
    """More lobes of the same animals make no interval narrower."""
    few = {name: (smoke, ratios[:1]) for name, (smoke, ratios) in ANIMALS.items()}
    more = {name: (smoke, ratios[:1] * 2) for name, (smoke, ratios) in ANIMALS.items()}
    name = "the same, exposed over control"
    one, other = (
        rows_of(write_lobes(tmp_path / label, animals))[name].measured
        for label, animals in (("few", few), ("more", more))
    )
    assert one.low is not None
    assert one.low == pytest.approx(other.low)
    assert one.high == pytest.approx(other.high)


def test_one_animal_a_group_has_no_interval(tmp_path: Path) -> None:
    rows = rows_of(write_lobes(tmp_path, {"A": ("control", (20.0,)), "B": ("smoke", (15.0,))}))
    ratio = rows["the same, exposed over control"].measured
    assert ratio.value == pytest.approx(0.75)
    assert (ratio.low, ratio.high) == (None, None)
    assert rows["spread of its logarithm between controls"].measured.value is None


def test_the_slope_leaves_out_what_is_too_small(checkout: Path) -> None:
    row = rows_of(checkout)["slope of the power spectrum of the signal"]
    assert row.kind == "emergent"
    # The lobes were made of white noise.
    assert row.measured.value == pytest.approx(0.0, abs=0.5)
    assert row.simulated.value == pytest.approx(-3.0)
    assert row.basis == "large enough: 10 of 10 lobes, 39 of 40 phantoms"


def test_phantoms_without_emphysema_say_nothing_of_it(checkout: Path) -> None:
    healthy = [dataclasses.replace(person, severity=0.0) for person in people()]
    row = rows_of(checkout, healthy)["the same, exposed over control"]
    assert row.simulated.value is None
    assert row.measured.value is not None


@pytest.mark.parametrize("kept", ["smoke", "control"])
def test_one_group_alone_is_one_clear_line(tmp_path: Path, kept: str) -> None:
    write_lobes(tmp_path, {name: found for name, found in ANIMALS.items() if found[0] == kept})
    word = "with" if kept == "smoke" else "without"
    with pytest.raises(UsageError, match=f"{word} smoke alone: expected both") as caught:
        read_measured(tmp_path)
    assert "\n" not in str(caught.value)


def test_spheres_and_lobes_are_compared_each_by_their_own_rows(
    checkout: Path, tmp_path: Path
) -> None:
    assert not [name for name in rows_of(checkout) if "sphere" in name]
    write_diluted(tmp_path / "microspheres", {0.5: 3.0, 1.0: 3.4, 2.0: 3.7, 4.0: 3.6})
    only = rows_of(tmp_path / "microspheres")
    (name,) = only
    assert name.endswith("diluted spheres")
    assert only[name].simulated.value == 1.0
    assert only[name].measured.low is None
    both = compare_with_measured(read_measured(tmp_path), people(), seed=0)
    assert len(both.rows) == len(rows_of(checkout)) + 1
    assert len(both.lobes) == 10
    assert len(both.spheres) == 4


def test_too_few_sizes_say_so(tmp_path: Path) -> None:
    rows = rows_of(write_diluted(tmp_path, {0.5: 3.0, 1.0: 3.4}))
    assert "at least four" in rows["response to the size of spheres"].basis


def test_the_table_says_what_cannot_be_compared(checkout: Path) -> None:
    comparison = compare_with_measured(read_measured(checkout), people(), seed=0)
    text = tabulate_comparison(comparison)
    lines = text.splitlines()
    assert len([line for line in lines if line.startswith("| ")]) == 1 + len(comparison.rows)
    assert "| not comparable | 23.1 (22 to 24.5) | none |" in text
    assert "says nothing of the coefficient in 1/m" in text
    assert "no living human lungs" in text
    assert "Spheres are" not in text
    assert "nan" not in text
