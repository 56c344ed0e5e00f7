"""Reads inputs that were changed where their structure is, each in a guarded process.

    python scripts/mutated_inputs.py --cases 10000 --seed 0

Images, archives, tables, corpora, recipes, checkpoints and stores (`mutated_kinds`). Each case must
end in success or in an error of dfsynth with one line: no other error, no end of the process, no
more than so much memory, processor time and time. A case is known by kind, seed and number, and is
run alone with `--kinds KIND --seed SEED --first NUMBER --cases 1`. Prints, as JSON, the cases read
and refused by kind, and what was wrong; ends with 1 if anything was.
"""

import argparse
import csv
import json
import os
import random
import resource
import signal
import struct
import sys
import tempfile
import traceback
import warnings
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TextIO

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from mutated_kinds import KINDS, Kind
from watched_builds import in_child

from dfsynth.errors import DfsynthError

MEMORY_BYTES: Final = 2 << 30
"""Of address space, that a case may take beside what is there before it."""
PROCESSOR_S: Final = 60
CLOCK_S: Final = 600
_BATCH: Final = 200
_UNSTRUCTURED: Final = (ValueError, LookupError, TypeError, struct.error, zlib.error, csv.Error)
"""What a mutator raises where earlier changes left no structure to change."""


def mutate(kind: Kind, folder: Path, chance: random.Random) -> tuple[Path, bytes]:
    """Changes one file of an input in its folder; gives it, and what it held."""
    path = folder / chance.choice(sorted(kind.mutators))
    whole = data = path.read_bytes()
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        try:
            data = kind.mutators[str(path.relative_to(folder))](data, chance)
        except _UNSTRUCTURED:
            break
    path.write_bytes(data)
    return path, whole


def outcome_of(kind: Kind, folder: Path) -> str:
    """`read`, `refused`, or what is wrong."""
    try:
        kind.read(folder)
    except DfsynthError as error:
        lines = len(str(error).splitlines())
        return "refused" if lines == 1 else f"an error of {lines} lines"
    except Exception as error:  # noqa: BLE001 - the finding itself
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}: {error}"
    return "read"


def limit_process() -> None:
    """Bounds the memory, processor time and time of this process; beyond them a signal ends it."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def renew_clocks() -> None:
    """Gives the next case its processor time and time."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (used + PROCESSOR_S, resource.RLIM_INFINITY))
    signal.alarm(CLOCK_S)


def run_cases(kind: Kind, folder: Path, seed: str, numbers: Sequence[int], report: TextIO) -> None:
    """Runs cases in this process; one line for each that begins, and one for its outcome."""
    warnings.simplefilter("ignore")
    kind.read(folder)  # loads what it takes
    limit_process()
    for number in numbers:
        print(json.dumps({"case": number}), file=report, flush=True)
        renew_clocks()
        path, whole = mutate(kind, folder, random.Random(f"{seed}:{number}"))
        outcome = outcome_of(kind, folder)
        path.write_bytes(whole)
        print(json.dumps({"case": number, "outcome": outcome}), file=report, flush=True)


def run_guarded(kind: Kind, folder: Path, seed: str, numbers: list[int]) -> dict[int, str]:
    """The outcomes of cases in forked processes; a new one where one was ended."""
    outcomes: dict[int, str] = {}
    wholes = {name: (folder / name).read_bytes() for name in kind.mutators}
    while left := [number for number in numbers if number not in outcomes]:
        source, sink = os.pipe()
        process = os.fork()
        if process == 0:
            status = 1
            try:
                os.close(source)
                with os.fdopen(sink, "w") as report:
                    run_cases(kind, folder, seed, left[:_BATCH], report)
                status = 0
            except BaseException:
                traceback.print_exc()
                raise
            finally:
                os._exit(status)
        os.close(sink)
        begun: int | None = None
        with os.fdopen(source) as lines:
            for line in map(json.loads, lines):
                begun = None if "outcome" in line else line["case"]
                if "outcome" in line:
                    outcomes[line["case"]] = line["outcome"]
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        if status != 0:
            if begun is None:
                raise RuntimeError(f"the process of a batch ended with {status} beside a case")
            outcomes[begun] = f"the process ended with {status}"
            for name, whole in wholes.items():
                (folder / name).write_bytes(whole)
    return outcomes


def prepare(kind: Kind, folder: Path) -> None:
    """Writes a whole input, in a process of its own: libraries start threads, which no fork has.

    Raises:
        RuntimeError: it cannot be written.
    """
    folder.mkdir()
    if in_child(lambda: kind.prepare(folder)) != 0:
        raise RuntimeError(f"no input could be made in {folder}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000, help="of all kinds together")
    parser.add_argument("--first", type=int, default=0, help="number of the first case of a kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=list(KINDS))
    given = parser.parse_args()
    counts, wrong = {}, []
    share, rest = divmod(given.cases, len(given.kinds))
    with tempfile.TemporaryDirectory() as place:
        for position, name in enumerate(given.kinds):
            folder = Path(place, name).resolve()
            prepare(KINDS[name], folder)
            numbers = list(range(given.first, given.first + share + (position < rest)))
            found = run_guarded(KINDS[name], folder, f"{given.seed}:{name}", numbers)
            counts[name] = Counter(
                outcome if outcome in {"read", "refused"} else "wrong" for outcome in found.values()
            )
            wrong += [
                {"kind": name, "seed": given.seed, "case": number, "what": outcome}
                for number, outcome in found.items()
                if outcome not in {"read", "refused"}
            ]
    print(json.dumps({"cases": given.cases, "outcomes": counts, "wrong": wrong}, indent=2))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
