"""A worker that is killed once, in the middle of a shard, whichever process is the first there."""

import os
import signal
from pathlib import Path
from typing import Final

from dfsynth.jobs.workers.ray_actor import RayActor
from dfsynth.jobs.workers.worker import ToldRows

MARK: Final = "DFSYNTH_TEST_DEATHS"
"""The environment variable that names the folder in which each death leaves a file."""


def die_in_mid_shard(row: int, times: int = 1) -> None:
    """From now on this process kills itself at its `row`-th row, if fewer than `times` died yet."""
    advance = ToldRows.advance
    rows = 0

    def advance_or_die(self: ToldRows, ok: int, failed: int) -> None:
        nonlocal rows
        rows += 1
        if rows == row and _may_die(Path(os.environ[MARK]), times):
            os.kill(os.getpid(), signal.SIGKILL)
        advance(self, ok, failed)

    ToldRows.advance = advance_or_die  # type: ignore[method-assign]


def _may_die(folder: Path, times: int) -> bool:
    for number in range(times):
        try:
            (folder / str(number)).touch(exist_ok=False)
        except FileExistsError:
            continue
        return True
    return False


class DyingActor(RayActor):
    """The actor of such a worker; its second row of a shard of three is its last."""

    def __init__(self, options: str, cores: int) -> None:
        super().__init__(options, cores)
        die_in_mid_shard(2)
