"""Processes that build one small store, killed, halted and let go by the lines of their parent.

    build_processes.py IMAGES

A line is a JSON list of a method of `BuildProcesses` and its arguments, and is answered by one of
what the method gives. The processes are forked from this one, which has no threads and whose
libraries are loaded: each costs milliseconds.
"""

import json
import os
import signal
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from halt import halt_before
from kill_switch import kill_at_call
from toy_generator import ToyGenerator, ToyMaker

from dfsynth.jobs.build import run_build
from dfsynth.jobs.engine import RunReport
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent


def options_of(images: Path, out: Path, partition: tuple[int, int] = (0, 1)) -> BuildOptions:
    """Of all builds of one store, in whatever process."""
    return BuildOptions(
        source=str(images),
        out=out,
        partition=partition,
        shard_size=2,
        workers=1,
        maps=("dark_field",),
    )


def build(images: Path, out: Path, partition: tuple[int, int] = (0, 1)) -> RunReport:
    return run_build(options_of(images, out, partition), ToyMaker(batch_size=1), Silent())


@dataclass(frozen=True, slots=True)
class Process:
    """A forked build, and the lines to it and from it."""

    number: int
    stdin: TextIO
    stdout: TextIO

    def end(self, said: str | None = None) -> int | None:
        """How many rows it wrote; None where it was killed. `said` is its last line, if read.

        Raises:
            RuntimeError: it ended in another way.
        """
        with self.stdin, self.stdout:
            said = self.stdout.readline() if said is None else said
            status = os.waitpid(self.number, 0)[1]
        if status not in (0, signal.SIGKILL):
            raise RuntimeError(f"a build ended with {status}")
        return None if status else int(said)


class BuildProcesses:
    """Of these, at most one halts at a time."""

    def __init__(self, images: Path) -> None:
        self._images = images
        self._halted: Process | None = None

    def kill_at(self, out: str, change: int) -> int | None:
        """Builds in a process that kills itself at its `change`-th change of the disk.

        Gives the rows that it wrote, or None where it was killed.
        """
        return self._start(out, change, None).end()

    def halt_at(self, out: str, image: int) -> int | None:
        """Builds in a process that halts before its `image`-th image: then gives None.

        Where it has fewer to do, gives the rows that it wrote.
        """
        process = self._start(out, None, image)
        said = process.stdout.readline()
        if said == "halted\n":
            self._halted = process
            return None
        return process.end(said)

    def go_on(self) -> int | None:
        """The halted process goes on to its end; gives how many rows it wrote in all."""
        assert self._halted is not None
        process, self._halted = self._halted, None
        process.stdin.write("go on\n")
        process.stdin.flush()
        return process.end()

    def kill(self) -> None:
        """Kills the halted process, if there is one."""
        if self._halted is not None:
            os.kill(self._halted.number, signal.SIGKILL)
            self._halted.end()
            self._halted = None

    def _start(self, out: str, change: int | None, image: int | None) -> Process:
        (down, stdin), (stdout, up) = os.pipe(), os.pipe()
        number = os.fork()
        if number:
            os.close(down)
            os.close(up)
            return Process(number, os.fdopen(stdin, "w"), os.fdopen(stdout))
        status = 1
        try:
            sys.stdin, sys.stdout = os.fdopen(down), os.fdopen(up, "w")
            if image is not None:
                halt_before(ToyGenerator, "generate", image)
            if change is not None:
                kill_at_call(change)
            report = build(self._images, Path(out))
            sys.setprofile(None)
            print(report.ok + report.failed, flush=True)
            status = 0
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(status)


def main() -> None:
    def unflushed(fd: object) -> None:
        """Only a power cut would show what was flushed; here it would take most of the time."""

    os.fsync = unflushed
    processes = BuildProcesses(Path(sys.argv[1]))
    for line in sys.stdin:
        method, *arguments = json.loads(line)
        print(json.dumps(getattr(processes, method)(*arguments)), flush=True)


if __name__ == "__main__":
    main()
