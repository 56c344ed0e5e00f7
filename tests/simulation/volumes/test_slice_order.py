"""Every slice comes once, and the first ones are of all volumes and heights."""

import itertools
from pathlib import Path

import pytest

from dfsynth.simulation.volumes import VolumeCandidate, VolumeFormat
from dfsynth.simulation.volumes.slice_order import (
    VolumeSlices,
    order_slices,
    parse_slice_name,
    slice_name,
)


def volume(key: str, count: int) -> VolumeSlices:
    candidate = VolumeCandidate(key, VolumeFormat.NIFTI, (Path(key),), "CC0", f"who of {key}")
    return VolumeSlices(candidate, tuple(range(10, 10 + count)))


def test_every_slice_comes_once() -> None:
    found = order_slices([volume("a.nii", 30), volume("b/c.nii", 5), volume("d", 0)])
    named = [parse_slice_name(str(subject.source)) for subject in found]
    assert sorted(named) == [
        *(("a.nii", n) for n in range(10, 40)),
        *(("b/c.nii", n) for n in range(10, 15)),
    ]
    assert {subject.patient_id for subject in found} == {
        "volume:who of a.nii",
        "volume:who of b/c.nii",
    }
    assert {subject.origin for subject in found} == {"volume"}


def test_the_first_slices_are_spread_over_volumes_and_heights() -> None:
    found = order_slices([volume(name, 80) for name in "abc"])
    first = [parse_slice_name(str(subject.source)) for subject in found[:24]]
    assert [name for name, _ in first] == ["a"] * 8 + ["b"] * 8 + ["c"] * 8
    heights = sorted(index for name, index in first if name == "a")
    gaps = [after - before for before, after in itertools.pairwise(heights)]
    assert max(gaps) < 25


@pytest.mark.parametrize("name", ["a.nii", "a.nii/slice-1", "a.nii/slice-00a1"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="names no slice"):
        parse_slice_name(name)


def test_a_name_comes_back() -> None:
    assert parse_slice_name(slice_name("x/slice-0001", 12345)) == ("x/slice-0001", 12345)
