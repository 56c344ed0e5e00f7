"""Pairs of the phantom origin, as the job asks for them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pair_schemas import PAIR_ARRAYS, PAIRS

from dfsynth.manifest import check_parameters
from dfsynth.options import SimulateOptions
from dfsynth.records import MadePair, PairItem
from dfsynth.simulation import Simulator

OPTIONS = SimulateOptions(out=Path("pairs.zarr"), n=3, size=64, device="cpu", severity=(0.5, 0.9))
ITEM = PairItem(0, 0, "pair-0000000", "phantom-0", "train", "phantom", None, "none", 4321)


def make(item: PairItem = ITEM, **changes: Any) -> MadePair:
    options = replace(OPTIONS, **changes)
    return Simulator(options).make(item)


def drawn_number(made: MadePair, name: str) -> float:
    value = made.facts.parameters[name]
    assert isinstance(value, float)
    return value


@pytest.fixture(scope="module")
def pair() -> MadePair:
    return make()


def test_a_pair_has_every_array_in_its_range(pair: MadePair) -> None:
    assert list(pair.arrays) == [array.name for array in PAIR_ARRAYS]
    for array in PAIR_ARRAYS:
        values = pair.arrays[array.name]
        assert values.dtype == array.dtype
        assert values.shape == (64, 64)
        assert np.isfinite(values).all(), array.name
    assert 0 <= pair.arrays["attenuation"].min() <= pair.arrays["attenuation"].max() <= 1
    assert pair.arrays["dark_field_clean"].min() >= 0
    assert 0 <= pair.arrays["severity"].min() <= pair.arrays["severity"].max() <= 1
    assert {0, 1, 2} == set(np.unique(pair.arrays["lung_mask"]))
    assert 0.1 < (pair.arrays["lung_mask"] == 1).mean() < 0.6


def test_lung_is_where_the_signal_is(pair: MadePair) -> None:
    inside = pair.arrays["lung_mask"] == 1
    clean = pair.arrays["dark_field_clean"]
    assert clean[inside].mean() > 10 * clean[pair.arrays["lung_mask"] == 0].mean()
    assert (pair.arrays["lung_thickness_mm"][inside] > 5).mean() > 0.98


def test_the_manifest_knows_every_parameter_that_was_drawn(pair: MadePair) -> None:
    check_parameters(PAIRS, pair.facts.parameters)
    missing = [name for name, value in pair.facts.parameters.items() if value is None]
    # A CT volume has these, a phantom does not.
    assert missing
    assert all(name.startswith("ct_") for name in missing)
    assert pair.facts.severity is not None
    assert 0.5 <= pair.facts.severity <= 0.9
    assert 90 <= (pair.facts.kvp or 0) <= 125
    assert pair.facts.flags == ()


def test_a_pair_is_the_same_whoever_makes_it(pair: MadePair) -> None:
    again = make()
    assert again.facts == pair.facts
    for name, values in pair.arrays.items():
        assert np.array_equal(values, again.arrays[name]), name


def test_another_seed_is_another_person(pair: MadePair) -> None:
    other = make(replace(ITEM, seed=4322))
    assert other.facts.parameters["height_cm"] != pair.facts.parameters["height_cm"]
    assert not np.array_equal(other.arrays["attenuation"], pair.arrays["attenuation"])


@pytest.mark.parametrize("layer", ["noise", "stripes", "moire", "hardening", "scatter"])
def test_a_layer_of_the_scan_leaves_truth_and_radiograph_alone(pair: MadePair, layer: str) -> None:
    less = make(without=(layer,))
    for name in ("attenuation", "dark_field_clean", "lung_mask", "lung_thickness_mm", "severity"):
        assert np.array_equal(less.arrays[name], pair.arrays[name]), name
    assert not np.array_equal(less.arrays["dark_field"], pair.arrays["dark_field"])


def test_without_its_layers_the_scan_measures_the_truth() -> None:
    bare = make(
        without=("hardening", "scatter", "noise", "stripes", "moire", "blur", "motion", "display")
    )
    assert np.array_equal(bare.arrays["dark_field"], bare.arrays["dark_field_clean"])
    assert bare.facts.n0 is None
    assert bare.facts.parameters["look"] is None


def test_the_manifest_tells_the_noise_of_every_pixel() -> None:
    off = ("hardening", "scatter", "stripes", "moire", "blur", "motion", "display")
    made = make(without=off)
    facts, noisy = made.facts, made.arrays
    n0, v0 = facts.n0, facts.v0
    assert n0 is not None
    assert v0 is not None
    assert facts.pixel_mm is not None
    clean = noisy["dark_field_clean"]
    binned = max(1.0, facts.pixel_mm / drawn_number(made, "detector_pixel_mm")) ** 2
    counts = n0 * binned * noisy["transmission"]
    of_scan = (2 * np.exp(2 * clean) / v0**2 - 1) / counts
    of_reference = (2 / v0**2 - 1) / (drawn_number(made, "reference_photons") * binned)
    in_sigma = (noisy["dark_field"] - clean) / np.sqrt(of_scan + of_reference)
    assert in_sigma[counts > 3e3].std() == pytest.approx(1, abs=0.04)


def test_without_disease_there_is_none(pair: MadePair) -> None:
    well = make(without=("emphysema", "opacities"))
    assert well.facts.severity == 0.0
    assert well.facts.laa950 == 0.0
    assert well.arrays["severity"].max() < 1e-5
    assert well.facts.eps_bar_per_m is not None
    assert pair.facts.eps_bar_per_m is not None
    assert well.facts.eps_bar_per_m > pair.facts.eps_bar_per_m
    assert well.facts.parameters["height_cm"] == pair.facts.parameters["height_cm"]


def test_devices_darken_the_transmission_and_say_so(pair: MadePair) -> None:
    worn = make(implants=1.0)
    assert worn.facts.flags
    assert all(flag.startswith("device_") for flag in worn.facts.flags)
    assert np.array_equal(worn.arrays["dark_field_clean"], pair.arrays["dark_field_clean"])
    assert worn.arrays["transmission"].sum() < pair.arrays["transmission"].sum()


def test_every_phantom_is_a_person_of_its_own() -> None:
    subjects = Simulator(OPTIONS).subjects(5)
    assert len({line.patient_id for line in subjects.lines}) == 5
    assert Simulator(OPTIONS).subjects(3).lines == subjects.lines[:3]
    # Stores of two seeds may be put together.
    others = Simulator(replace(OPTIONS, seed=1)).subjects(5)
    assert not {s.patient_id for s in others.lines} & {s.patient_id for s in subjects.lines}
