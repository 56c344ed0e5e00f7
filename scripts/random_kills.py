"""Builds of one small store by one to three processes, killed at random until enough was met.

    python scripts/random_kills.py --kills 1000 --seed 0 --suffix .zarr

Each process gets one signal, at a random call of a Python function: SIGKILL, SIGTERM or SIGINT,
which it meets as the command line does, or SIGSTOP, after which it is killed or goes on once the
others have ended or may be waiting for it. After each round nothing may be corrupt, and what was
committed must be there, unchanged; once nothing is left to do, the store must equal one that was
never interrupted. The generator is a few NumPy operations. Prints, as JSON, the signals that were
met, and how many stores were made.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import typer
from radiograph_files import write_bad_files, write_folder
from small_runs import run
from watched_builds import check_recovery, check_soundness, in_child

from dfsynth.cli.console import console_of
from dfsynth.errors import ExitStatus

SIGNALS: Final = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSTOP)
_PATIENCE_S: Final = 3.0
_POLL_S: Final = 0.02
_DIED: Final = frozenset({-signal.SIGKILL, ExitStatus.TERMINATED, ExitStatus.INTERRUPTED})


@dataclass(frozen=True, slots=True)
class Stores:
    """What is built, and the store that comes of it."""

    pictures: Path
    whole: Path
    calls: int
    """Of functions, in one build."""


def count_calls(pictures: Path, out: Path) -> int:
    """Builds the store, never interrupted, and counts the calls of functions meanwhile."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        run(str(pictures), out)
    finally:
        sys.setprofile(None)
    return calls


def start_build(stores: Stores, out: Path, number: signal.Signals, at: int) -> int:
    """A process that builds and sends itself a signal at its `at`-th call; gives its id."""
    process = os.fork()
    if process:
        return process
    status, calls = 1, 0
    # What is started in the background of a shell ignores it, and so would the build.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def watch(_frame: object, event: str, _argument: object) -> None:
        # Where a function begins, the interpreter asks for signals; not so when a lock's method
        # returns, where an exception would leave the lock taken.
        nonlocal calls
        calls += event == "call"
        if event == "call" and calls == at:
            os.kill(os.getpid(), number)

    try:
        with console_of(json=False, quiet=True, verbose=False):
            sys.setprofile(watch)
            run(str(stores.pictures), out)
            sys.setprofile(None)
        status = 0
    except typer.Exit as ended:
        status = ended.exit_code
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(status)


def end_builds(chance: random.Random, signals: dict[int, signal.Signals]) -> Counter[str]:
    """Waits for processes, with the signal that each sends itself; gives the signals met.

    Those that stopped are killed or go on once all others have ended, or may be waiting for them:
    who plans a store holds all of it.

    Raises:
        RuntimeError: one ended in a way that no signal explains.
    """
    met: Counter[str] = Counter()
    running = set(signals)
    stopped: list[int] = []
    patience_s = _PATIENCE_S
    while running:
        process, status = os.waitpid(-1, os.WUNTRACED | (os.WNOHANG if stopped else 0))
        if not process:
            time.sleep(_POLL_S)
            patience_s -= _POLL_S
        elif os.WIFSTOPPED(status):
            met["SIGSTOP"] += 1
            stopped.append(process)
        else:
            ended = os.waitstatus_to_exitcode(status)
            if ended not in _DIED | {0}:
                raise RuntimeError(f"a build that got {signals[process].name} ended with {ended}")
            if ended in _DIED and signals[process] is not signal.SIGSTOP:
                met[signals[process].name] += 1
            running.remove(process)
        if running == set(stopped) or patience_s <= 0:
            for process in stopped:
                os.kill(process, chance.choice((signal.SIGCONT, signal.SIGKILL)))
            stopped.clear()
            patience_s = _PATIENCE_S
    return met


def storm(stores: Stores, root: Path, chance: random.Random) -> Counter[str]:
    """Builds one store, with rounds of kills until one leaves nothing to do; gives the signals.

    Raises:
        RuntimeError: what a round left is not sound; stderr says why.
    """
    met: Counter[str] = Counter()
    out = root / stores.whole.name
    for _ in range(chance.randint(1, 8)):
        signals = {}
        for _ in range(chance.randint(1, 3)):
            number = chance.choice(SIGNALS)
            signals[start_build(stores, out, number, chance.randint(1, stores.calls))] = number
        met += end_builds(chance, signals)
        if in_child(lambda: check_soundness(out, root / "parts")) != 0:
            raise RuntimeError(f"not sound after {dict(met)}: see {root}")
    pictures, whole = str(stores.pictures), stores.whole
    if in_child(lambda: check_recovery(pictures, out, whole, frozenset())) != 0:
        raise RuntimeError(f"not equal after {dict(met)}: see {root}")
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000, help="signals to meet, at least")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--suffix", default=".zarr", help="the format, as a store's name ends")
    given = parser.parse_args()
    met: Counter[str] = Counter()
    made = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        pictures = write_folder(root / "pictures", 7)
        write_bad_files(pictures)
        whole, calls = root / "whole" / f"x{given.suffix}", root / "calls"
        in_child(lambda: calls.write_text(str(count_calls(pictures, whole))))
        stores = Stores(pictures, whole, int(calls.read_text()))
        while met.total() < given.kills:
            met += storm(stores, root / f"{made:05d}", random.Random(f"{given.seed}:{made}"))
            made += 1
    print(json.dumps({"signals": dict(met), "stores": made}))


if __name__ == "__main__":
    main()
