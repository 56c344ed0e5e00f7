"""Trains all 18 configurations of structured loss amplification from ten seeds, and tabulates them.

    dfsynth simulate --task dark-field-ct --out pairs.zarr --n 480 --size 200
    python training/streak_table.py --data pairs.zarr --out runs/streak-table
    python training/streak_table.py --data pairs.zarr --out runs/streak-table --report

Killed at any time, the same command goes on. All configurations are trained from seed 0, then from
seed 1, and so on: what there is can be reported while the rest is trained. Several processes, also
of several calls, share the work of one --out.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import torch
from streak_report import report
from streak_runs import CONFIGURATIONS, LossConfiguration, Run, Study, ordered_runs

from dfsynth.errors import DfsynthError, UsageError

_RECIPE = "streak-table"


def main() -> None:
    given = _parsed()
    try:
        study = Study.open(given.out, given.data, given.recipe)
        runs = ordered_runs(chosen(given.only), seeds_of(given.seeds))
        if given.report:
            print("\n".join(report(study, runs)))
            return
    except DfsynthError as error:
        sys.exit(str(error))
    sys.exit(0 if train_all(study, runs, given.data, given.recipe, given.workers) else 1)


def chosen(patterns: str) -> tuple[LossConfiguration, ...]:
    """The configurations whose slugs match one of the patterns, such as `l2-none,l2-s-*`.

    Raises:
        UsageError: a pattern matches none.
    """
    wanted, slugs = patterns.split(","), [c.slug for c in CONFIGURATIONS]
    for pattern in wanted:
        if not any(fnmatchcase(slug, pattern) for slug in slugs):
            raise UsageError(f"--only {pattern}: expected a pattern of {', '.join(slugs)}")
    return tuple(c for c in CONFIGURATIONS if any(fnmatchcase(c.slug, p) for p in wanted))


def seeds_of(text: str) -> tuple[int, ...]:
    """Seeds from a range such as `0-9`, or one alone.

    Raises:
        UsageError: it is no such text.
    """
    first, _, last = text.partition("-")
    last = last or first
    if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise UsageError(f"--seeds {text}: expected a number or a range such as 0-9")
    return tuple(range(int(first), int(last) + 1))


def train_all(study: Study, runs: Sequence[Run], data: Path, recipe: str, workers: int) -> bool:
    """Trains what is left of the runs in several processes; whether all came to their end."""
    # Threads of two trainings that spin while they wait would take each other's cores.
    os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")
    context = multiprocessing.get_context("spawn")
    arguments = (study.kept.out, data, recipe, runs)
    processes = [context.Process(target=_work, args=arguments) for _ in range(workers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    left = sum(study.result_of(run) is None for run in runs)
    if left:
        print(f"{left} of {len(runs)} runs are not done: call again", file=sys.stderr)
    return not left


def _work(out: Path, data: Path, recipe: str, runs: Sequence[Run]) -> None:
    """Trains, one after the other, those runs that no other process trains."""
    torch.set_num_threads(1)
    study = Study.open(out, data, recipe)
    for run in runs:
        started = time.monotonic()
        try:
            if study.finish(run):
                print(f"{run.name}: {time.monotonic() - started:.0f} s", flush=True)
        except DfsynthError as error:
            # One configuration that diverges is a finding; the others go on.
            print(f"{run.name} failed: {error}", file=sys.stderr, flush=True)


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="store of pairs")
    parser.add_argument("--out", type=Path, required=True, help="folder of runs and results")
    parser.add_argument("--recipe", default=_RECIPE, help="base recipe: a name or a TOML file")
    parser.add_argument("--seeds", default="0-9", help="range of seeds")
    parser.add_argument("--only", default="*", help="patterns of configurations, such as l2-*")
    parser.add_argument("--workers", type=int, default=2, help="trainings at once, a core each")
    parser.add_argument("--report", action="store_true", help="tabulate what there is")
    return parser.parse_args()


if __name__ == "__main__":
    main()
