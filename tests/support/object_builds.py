"""Builds in forked processes that end themselves at a chosen request to an object store.

    object_builds.py IMAGES OUT        two builds of the store OUT at once
    object_builds.py IMAGES FOLDER kill  builds of FOLDER/1.zarr, FOLDER/2.zarr, ..., each killed
                                       before the change of its number, until one has none

Prints how each ended. The processes are forked from this one, which has no threads yet.
"""

import os
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any

import s3fs  # noqa: F401 - once, before the forks
from toy_generator import ToyMaker

import dfsynth.store.remote as requests
from dfsynth.jobs.build_remote import build_anywhere
from dfsynth.jobs.engine import RunReport
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent

CHANGES = ("put_file", "put_object", "create_object", "remove_objects")


def build_store(images: Path | str, out: str, partition: str = "0/1") -> RunReport:
    """The same small store from whatever process."""
    options = BuildOptions.of(
        source=str(images),
        out=out,
        shard_size=2,
        workers=1,
        maps=("dark_field",),
        partition=partition,
    )
    return build_anywhere(options, ToyMaker(batch_size=1), Silent())


def kill_before(number: int) -> None:
    """Ends this process before its `number`-th change of the object store."""
    calls = 0

    def wrap(name: str) -> Any:
        called = getattr(requests, name)

        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return called(*arguments, **named)

        return call

    for name in CHANGES:
        setattr(requests, name, wrap(name))


def _fork(images: Path, out: str, number: int) -> int:
    process = os.fork()
    if process:
        return process
    if number:
        kill_before(number)
    build_store(images, out)
    os._exit(0)


def _tell(process: int) -> int:
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    print(status, flush=True)
    return status


def main() -> None:
    images, out, *rest = sys.argv[1:]
    if not rest:
        for process in [_fork(Path(images), out, 0) for _ in range(2)]:
            _tell(process)
        return
    for number in count(1):
        if _tell(_fork(Path(images), f"{out}/{number}.zarr", number)) != -signal.SIGKILL:
            return


if __name__ == "__main__":
    main()
