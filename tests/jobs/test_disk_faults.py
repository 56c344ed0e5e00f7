"""Whatever a disk refuses, cuts short or forgets: no committed image is lost, wrong, or twice."""

import json
from pathlib import Path

import pytest
from broken_order import BREAKS
from radiograph_files import write_bad_files, write_folder
from small_runs import run

from dfsynth.store.registry import FORMATS

DISK_FAULTS = Path(__file__).with_name("disk_faults.py")
POWER_CUTS = Path(__file__).with_name("power_cuts.py")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    root = write_folder(tmp_path_factory.mktemp("pictures"), 7)
    write_bad_files(root)
    return root


@pytest.fixture(scope="module", params=[min(known.suffixes) for known in FORMATS])
def whole(request, pictures, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole") / f"x{request.param}"
    run(str(pictures), out)
    return out


def faults_met(start_child, *arguments: object) -> dict[str, int]:
    output, errors = start_child(DISK_FAULTS, *arguments).communicate()
    assert output, errors
    assert "RuntimeError" not in errors, errors
    found: dict[str, int] = json.loads(output)
    return found


def test_some_operations_that_fail_or_kill(pictures, whole, tmp_path, start_child):
    found = faults_met(start_child, pictures, whole, tmp_path, 5, 131, "EIO", "ENOSPC", "killed")
    assert min(found.values()) >= 2
    found = faults_met(start_child, pictures, whole, tmp_path, 4, 17, "short", "torn")
    assert min(found.values()) >= 1


@pytest.mark.exhaustive
@pytest.mark.timeout(7200)  # some 1,400 builds, each of them twice
def test_every_operation_that_fails_is_cut_short_or_kills(pictures, whole, tmp_path, start_child):
    found = faults_met(start_child, pictures, whole, tmp_path, 1, 1)
    assert len(found) == 7
    assert found["EIO"] > 150
    assert min(found.values()) > 15


def test_some_power_cuts(pictures, whole, tmp_path, start_child):
    output, errors = start_child(POWER_CUTS, pictures, whole, tmp_path / "cuts", 23).communicate()
    assert output, errors
    assert int(output) >= 4


@pytest.mark.exhaustive
def test_every_power_cut(pictures, whole, tmp_path, start_child):
    output, errors = start_child(POWER_CUTS, pictures, whole, tmp_path / "cuts", 1).communicate()
    assert output, errors
    assert int(output) > 80


@pytest.mark.parametrize("broken", BREAKS)
def test_a_broken_order_of_writing_is_found(pictures, whole, tmp_path, start_child, broken):
    """The same check: it would tell if a change of the code broke the order."""
    child = start_child(POWER_CUTS, pictures, whole, tmp_path / "cuts", 1, broken)
    output, errors = child.communicate()
    assert output == ""
    assert "is not sound" in errors, errors
    assert "AssertionError: corrupt" in errors or "AssertionError: lost" in errors, errors
