"""A look at what another process plans meanwhile never takes the plan for something else."""

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from dfsynth.store import ArraySpec, RootState, StoreLayout, examine_root, format_of

SPECS = [ArraySpec(name, "float32", 3, 4, 5, 2) for name in ("dark_field", "aleatoric")]
RECORD = b'{"schema_version": 1, "fingerprint": {}}'
LOOKS = {"stat", "lstat", "listdir", "scandir", "open"}
"""What a look at files is made of."""
Step = Callable[[], object]


def planning(layout: StoreLayout, elsewhere: Path) -> list[Step]:
    """What planning does to the folder, one file or folder a step, in its order."""
    other = StoreLayout(elsewhere / layout.root.name)
    other.make_folders()
    format_of(other).write_group(other, SPECS, {})
    folders = (layout.folder, layout.run, layout.scratch, layout.manifest)
    steps: list[Step] = [folder.mkdir for folder in folders]
    steps += [layout.lock.touch, layout.planning.touch]
    written = [path for path in elsewhere.rglob("*") if path.is_file()]
    for path in sorted(written, key=lambda path: path.stat().st_ctime_ns):
        copy = layout.root.parent / path.relative_to(elsewhere)
        if copy.parent not in (layout.folder, layout.root.parent):
            steps.append(copy.parent.mkdir)
        steps.append(partial(copy.write_bytes, path.read_bytes()))
    steps += [layout.plan.touch, partial(layout.build.write_bytes, RECORD), layout.planning.unlink]
    return [*steps, (layout.manifest / "part-00000.parquet").touch]


@dataclass(slots=True)
class Interruption:
    """Takes steps before the `at`-th look at files."""

    steps: Sequence[Step]
    at: int
    looks: int = 0

    def __call__(self, _frame: FrameType, event: str, called: Any) -> None:
        if event != "c_call" or called.__name__ not in LOOKS:
            return
        self.looks += 1
        if self.looks == self.at:
            sys.setprofile(None)
            for step in self.steps:
                step()


def look(layout: StoreLayout, interruption: Interruption) -> RootState:
    sys.setprofile(interruption)
    try:
        return examine_root(layout)
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("suffix", [".zarr", ".h5"])
def test_a_plan_that_goes_on_between_any_two_looks_is_ours(tmp_path, suffix):
    home = tmp_path / "home"
    layout = StoreLayout(home / f"x{suffix}")
    steps = planning(layout, tmp_path / "elsewhere")
    for first in range(len(steps)):
        for last in range(first + 1, len(steps) + 1):
            interruption = Interruption(steps[first:last], 0)
            while interruption.looks >= interruption.at:
                home.mkdir()
                for step in steps[:first]:
                    step()
                interruption = Interruption(steps[first:last], interruption.at + 1)
                state = look(layout, interruption)
                assert state is not RootState.NOT_A_STORE, (first, last, interruption.at)
                shutil.rmtree(home)
