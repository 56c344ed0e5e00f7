"""Options of a simulation: each bad value is refused in one line, by the name of its option."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfsynth.errors import ExitStatus, UsageError
from dfsynth.options import LAYERS, SimulateOptions


def options(**changed: Any) -> SimulateOptions:
    return SimulateOptions(**{"out": Path("pairs.zarr"), "n": 10, **changed})


def test_defaults_are_those_of_the_command() -> None:
    found = options()
    assert (found.size, found.origin, found.seed) == (512, "phantom", 0)
    assert (found.severity, found.kvp) == ((0.0, 1.0), (90.0, 125.0))
    assert (found.without, found.implants, found.shard_size) == ((), 0.0, 64)
    assert (found.ct, found.cxr, found.workers) == (None, None, None)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"n": 0}, "--n 0"),
    ({"n": -4}, "--n -4"),
    ({"size": 0}, "--size 0"),
    ({"size": 32}, "--size 32"),
    ({"size": 250}, "--size 250"),
    ({"size": 1056}, "--size 1056"),
    ({"origin": "mri"}, "--origin 'mri'"),
    ({"origin": "ct"}, "--origin ct"),
    ({"origin": "cxr"}, "--origin cxr"),
    ({"origin": "cxr", "ct": Path("a")}, "--origin cxr"),
    ({"origin": "mixed"}, "--origin mixed"),
    ({"ct": Path("a")}, "--ct a"),
    ({"origin": "ct", "ct": Path("a"), "cxr": Path("b")}, "--cxr b"),
    ({"seed": -1}, "--seed -1"),
    ({"severity": (0.5, 0.2)}, "--severity 0.5:0.2"),
    ({"severity": (-0.1, 0.2)}, "--severity -0.1:0.2"),
    ({"severity": (0.0, 1.01)}, "--severity 0:1.01"),
    ({"severity": (math.nan, 1.0)}, "--severity nan:1"),
    ({"severity": (0.0, math.inf)}, "--severity 0:inf"),
    ({"kvp": (40.0, 90.0)}, "--kvp 40:90"),
    ({"kvp": (125.0, 90.0)}, "--kvp 125:90"),
    ({"kvp": (90.0, math.nan)}, "--kvp 90:nan"),
    ({"without": ("noise", "noise")}, "--without noise,noise"),
    ({"without": ("nose",)}, "--without nose"),
    ({"implants": 1.5}, "--implants 1.5"),
    ({"implants": math.nan}, "--implants nan"),
    ({"display": "sharp"}, "--display sharp"),
    ({"display": "restored", "without": ("display",)}, "--display restored --without display"),
    ({"restorer": "runs/flow/best"}, "--restorer runs/flow/best"),
    ({"shard_size": 0}, "--shard-size 0"),
    ({"partition": (2, 2)}, "--partition 2/2"),
    ({"workers": 0}, "--workers 0"),
    ({"device": "tpu"}, "--device 'tpu'"),
]


@pytest.mark.parametrize(("values", "words"), BAD)
def test_a_bad_value_is_refused_by_its_options_name(values: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        options(**values)
    assert str(caught.value).startswith(f"{words}: ")
    assert "expected" in str(caught.value) or "choose" in str(caught.value)
    assert caught.value.exit_status == ExitStatus.USAGE
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {"n": 1, "size": 64, "severity": (0.0, 0.0), "kvp": (50.0, 150.0)},
        {"size": 1024, "severity": (1.0, 1.0), "kvp": (70.0, 70.0), "implants": 1.0},
        {"without": LAYERS, "device": "cuda:1", "partition": (3, 4)},
        {"origin": "ct", "ct": Path("a")},
        {"origin": "cxr", "cxr": Path("a")},
        {"origin": "mixed", "cxr": Path("a")},
        {"origin": "mixed", "ct": Path("a"), "cxr": Path("b")},
    ],
)
def test_values_at_the_ends_of_their_ranges_are_taken(values: dict[str, Any]) -> None:
    found = options(**values)
    assert all(getattr(found, name) == value for name, value in values.items())


@given(low=st.floats(), high=st.floats())
def test_a_range_is_taken_just_where_it_lies_in_its_bounds(low: float, high: float) -> None:
    inside = 0 <= low <= high <= 1
    try:
        options(severity=(low, high))
    except UsageError:
        assert not inside
    else:
        assert inside


@given(size=st.integers(-100, 2000))
def test_sides_are_multiples_of_32_from_64_to_1024(size: int) -> None:
    try:
        options(size=size)
    except UsageError:
        assert size not in range(64, 1025, 32)
    else:
        assert size in range(64, 1025, 32)
