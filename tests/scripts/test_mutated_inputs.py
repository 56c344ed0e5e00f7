"""Inputs changed where their structure is are read or refused, and never end a process."""

import json
from pathlib import Path

import pytest
from mutated_kinds import KINDS

SCRIPT = Path(__file__).parents[2] / "scripts" / "mutated_inputs.py"
WITHOUT_NETWORKS = [name for name in KINDS if name != "checkpoint"]


def run_cases(start_child, *arguments: object) -> dict[str, dict[str, int]]:
    output, errors = start_child(SCRIPT, *arguments).communicate()
    assert output, errors
    found = json.loads(output)
    assert found["wrong"] == []
    outcomes: dict[str, dict[str, int]] = found["outcomes"]
    return outcomes


def test_some_cases_of_each_kind(start_child):
    found = run_cases(start_child, "--cases", 120, "--seed", 1, "--kinds", *WITHOUT_NETWORKS)
    assert sum(count for outcomes in found.values() for count in outcomes.values()) == 120
    assert sum(outcomes.get("refused", 0) for outcomes in found.values()) > 40
    assert sum(outcomes.get("read", 0) for outcomes in found.values()) > 20


@pytest.mark.slow
@pytest.mark.torch
def test_five_hundred_cases(start_child):
    found = run_cases(start_child, "--cases", 500, "--seed", 2)
    assert list(found) == list(KINDS)
    assert all(outcomes.get("refused", 0) > 0 for outcomes in found.values())


def test_what_is_wrong_is_told_by_its_number(start_child):
    """A process that ends, memory beyond the bound, and an error that is none of ours."""
    output, errors = start_child(WRONG, SCRIPT.parent).communicate()
    assert output, errors
    found = json.loads(output)
    assert found["1"] == "the process ended with -11"
    assert found["2"].startswith("MemoryError")
    assert found["3"].startswith("KeyError")
    assert found["4"] == "an error of 2 lines"
    assert found["0"] == found["5"] == "read"


WRONG = """
import json, os, signal, sys, tempfile
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from mutated_inputs import run_guarded
from mutated_kinds import Kind
from dfsynth.errors import DfsynthError

def read(folder):
    number = int((folder / "x").read_bytes() or b"0")
    if number == 1:
        os.kill(os.getpid(), signal.SIGSEGV)
    if number == 2:
        bytearray(4 << 30)
    if number == 3:
        raise KeyError("x")
    if number == 4:
        raise DfsynthError("two\\nlines")

def change(data, chance):
    return str(chance.number).encode()

import mutated_inputs
class Numbered:
    def __init__(self, seed):
        self.number = int(seed.split(":")[-1])
    def choice(self, values):
        return values[0]
mutated_inputs.random.Random = Numbered

folder = Path(tempfile.mkdtemp())
(folder / "x").write_bytes(b"0")
kind = Kind(lambda _: None, {"x": change}, read)
print(json.dumps(run_guarded(kind, folder, "s", list(range(6)))))
"""
