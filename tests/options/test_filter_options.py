"""Filter options: what goes together, and what the promise is where little is said."""

import math
from pathlib import Path
from typing import Any

import pytest

from dfsynth.errors import UsageError
from dfsynth.options import ErrorLimit, FilterOptions


def options(**changed: Any) -> FilterOptions:
    return FilterOptions.of(store="x.zarr", **changed)


def test_a_limit_has_the_defaults_of_the_command() -> None:
    assert options().limit is None
    assert options(max_error=0.3).limit == ErrorLimit(0.3, 0.1, 0.95, "predicted_error")
    given = options(max_error=0.3, risk=0.2, confidence=0.9, by="uncertainty", calibrate="p.zarr")
    assert given.limit == ErrorLimit(0.3, 0.2, 0.9, "uncertainty")
    assert (given.store, given.calibrate) == (Path("x.zarr"), Path("p.zarr"))


@pytest.mark.parametrize("name", ["max_error", "confidence", "risk"])
@pytest.mark.parametrize("value", [0, 1, -0.1, 95.0, math.nan])
def test_levels_lie_between_0_and_1(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=rf"--{name.replace('_', '-')} .*between 0 and 1"):
        options(**{"max_error": 0.3} | {name: value})


@pytest.mark.parametrize(
    "alone", [{"confidence": 0.9}, {"risk": 0.2}, {"checkpoint": "default"}, {"calibrate": "p"}]
)
def test_what_belongs_to_a_limit_is_refused_without_one(alone: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"--{next(iter(alone))} goes with --max-error"):
        options(**alone)


def test_two_ways_to_choose_by_a_score_are_one_too_many() -> None:
    with pytest.raises(UsageError, match="expected one of them"):
        options(max_error=0.3, keep=0.5)


def test_nothing_is_promised_of_images_without_lung() -> None:
    with pytest.raises(UsageError, match="leave one of them out"):
        options(max_error=0.3, include_no_lung=True)
