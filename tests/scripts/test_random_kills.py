"""Builds of several processes, killed at random, end in the store that they would have made."""

import json
from pathlib import Path

import pytest

from dfsynth.store.registry import FORMATS

SCRIPT = Path(__file__).parents[2] / "scripts" / "random_kills.py"


@pytest.mark.parametrize("suffix", [min(known.suffixes) for known in FORMATS])
@pytest.mark.parametrize("kills", [8, pytest.param(100, marks=pytest.mark.exhaustive)])
def test_random_kills(start_child, suffix, kills):
    child = start_child(SCRIPT, "--kills", kills, "--seed", 7, "--suffix", suffix)
    output, errors = child.communicate()
    assert output, errors
    found = json.loads(output)
    assert sum(found["signals"].values()) >= kills
    assert found["stores"] >= 1
