"""Stores of pairs for the comparison of degraders: one to train on for each, and one test store.

What is trained on are sharp radiographs and their partners by one degrader: the same radiographs
for all. What is tested on are digitally reconstructed radiographs of volumes that none was trained
on, or of drawn bodies.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dfsynth
from dfsynth.errors import UsageError
from dfsynth.options import DEGRADERS

TASK: Final = "restoration"
BASELINE: Final = "bicubic"
"""The degrader that others are compared with, as in DiffusionXRay (Goyal et al. 2025)."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the pairs are."""

    train: Mapping[str, Path]
    """Name of a degrader → store."""
    test: Path


def add_pair_options(parser: argparse.ArgumentParser) -> None:
    """What says where pairs come from."""
    group = parser.add_argument_group("pairs")
    group.add_argument("--cxr", type=Path, help="good radiographs to train on: folder or table")
    group.add_argument("--ct", type=Path, help="volumes to train on, beside or without --cxr")
    group.add_argument("--test-ct", type=Path, help="volumes to test on; none: drawn bodies")
    group.add_argument(
        "--degraders",
        nargs="+",
        default=list(DEGRADERS),
        metavar="NAME[=CHECKPOINT]",
        help=f"{', '.join(DEGRADERS)}, or a name with the folder of a trained degrader",
    )
    group.add_argument("--n", type=int, default=400, help="pairs of each training store")
    group.add_argument("--test-n", type=int, default=60, help="pairs of the test store")
    group.add_argument(
        "--pairs",
        nargs="+",
        default=[],
        metavar="NAME=STORE",
        help="stores that there are already, in place of simulated ones",
    )
    group.add_argument("--test", type=Path, help="the same to test on")


def make_stores(given: argparse.Namespace, size: int, *, make: bool) -> Stores:
    """The stores that a command asks for, simulated below `given.out` where they are not there yet.

    Raises:
        UsageError: there is nothing to simulate from, or, without `make`, a store is missing.
    """
    taken = {name: Path(path) for name, path in map(_named, given.pairs)}
    folder = given.out / "pairs"
    train = dict(taken)
    degraders = {} if taken else dict(map(_named, given.degraders))
    for name, degrader in degraders.items():
        train[name] = folder / f"{name}-{size}.zarr"
        if given.cxr is None and given.ct is None:
            raise UsageError("expected --cxr, --ct or --pairs to train on, found none")
        sources = {"cxr": given.cxr, "ct": given.ct}
        _simulate(train[name], make, n=given.n, size=size, degrader=degrader, **sources)
    test = given.test or folder / f"test-{size}.zarr"
    if given.test is None:
        origin = "phantom" if given.test_ct is None else "ct"
        sources = {"origin": origin, "ct": given.test_ct}
        _simulate(test, make, n=given.test_n, size=size, degrader="drr", seed=1, **sources)
    return Stores(train, test)


def _named(text: str) -> tuple[str, str]:
    """NAME=VALUE; a name alone is its own value."""
    name, _, value = text.partition("=")
    return name, value or name


def _simulate(store: Path, make: bool, **options: object) -> None:
    if not make:
        if not store.exists():
            raise UsageError(f"{store} is not there yet: run the command with more --minutes")
        return
    store.parent.mkdir(parents=True, exist_ok=True)
    wanted = {name: value for name, value in options.items() if value is not None}
    dfsynth.simulate_pairs(store, task=TASK, **wanted)  # type: ignore[arg-type]
