"""Pairs of a user's own task, and the task."""

from pathlib import Path

import pytest
from own_task import write_slices, write_task

from dfsynth.records import Task
from dfsynth.tasks import find_task


@pytest.fixture
def slices(tmp_path: Path) -> tuple[Path, Path]:
    """Four pairs in HU, from about -1150 to 250."""
    return write_slices(tmp_path, 4)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """Of values in HU."""
    return find_task(str(write_task(tmp_path)))
