"""Train options: what is taken as it is written, and which member there can be."""

from pathlib import Path
from typing import Any

import pytest

from dfsynth.errors import ExitStatus, UsageError
from dfsynth.options import TrainOptions


def options(**changed: Any) -> TrainOptions:
    return TrainOptions.of(**{"recipe": "tiny-cpu", "data": "pairs.zarr", "out": "run"} | changed)


def test_defaults_are_those_of_the_command() -> None:
    found = options()
    assert (found.data, found.out) == (Path("pairs.zarr"), Path("run"))
    assert (found.device, found.precision) == ("auto", "auto")
    for name in ("targets", "start_from", "member", "task", "size"):
        assert getattr(found, name) is None


@pytest.mark.parametrize("member", [0, 1, 15])
def test_members_are_counted_from_0(member: int) -> None:
    assert options(member=member).member == member


def test_a_member_before_the_first_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^--member -1: expected 0 or more$") as caught:
        options(member=-1)
    assert caught.value.exit_status == ExitStatus.USAGE
