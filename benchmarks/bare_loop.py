"""Whole training of each baseline beside a bare PyTorch loop of the same network; prints JSON.

    taskset -c 0 env OMP_NUM_THREADS=1 python benchmarks/bare_loop.py --pairs pairs.zarr
    python benchmarks/bare_loop.py --pairs pairs.zarr --size 64 --batch 8 --steps 10 --turns 5

Ours is `dfsynth train` as it is: pairs from a store, augmentation, checked steps, moving average
and metrics; of a run only validation and checkpoints are left out. The bare loop (`bare_steps.py`)
moves the same networks by the same losses on one batch in memory, and does nothing else. Both take
turns in one process, so that a noisy machine slows both; the first steps of a turn, for which pairs
may have been read in the other's, are not counted. Ratios are ours to bare: the median over the
turns, the least and the largest; by the clock, and by processor time, in which threads that read
ahead count too.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from bare_steps import Step, bare_step
from machine import describe_machine

from dfsynth.datasets import BatchReader, indices_in, open_pairs
from dfsynth.devices import resolve_device, resolve_precision
from dfsynth.progress import SilentTraining
from dfsynth.splits import SPLITS
from dfsynth.store import StoreLayout
from dfsynth.store.pairs_record import PairsRecord
from dfsynth.store.record import read_record
from dfsynth.tasks import Task
from dfsynth.train import Recipe, read_recipe, recipe_path, train_prepared
from dfsynth.train.preparation import PreparedTraining
from dfsynth.train.recipe import ValidationSettings
from dfsynth.train.recipe_fit import fit_recipe

RECIPES: Final = (
    "unet-l1",
    "pix2pix",
    "pan",
    "medgan",
    "heteroscedastic-unet",
    "quantile-unet",
    "diffusion-64",
    "flow-64",
    "compact-256",
)
SETTLING: Final = 3
"""Steps at the start of each turn that are not counted: batches are read two steps ahead."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What some steps took, in seconds."""

    clock: float
    processor: float


@dataclass
class Alternation(SilentTraining):
    """Called by the training after each of its steps; gives the bare loop its turns in between."""

    bare: Step
    device: torch.device
    steps: int
    """Counted in a turn."""
    ours: list[Turn] = field(default_factory=list)
    theirs: list[Turn] = field(default_factory=list)

    def advance(self, step: int, phase: str, loss: float) -> None:  # noqa: ARG002 - as asked for
        """See `TrainProgress`."""
        position = step % (SETTLING + self.steps)
        if position == SETTLING:
            self._start()
        elif position == 0:
            self.ours.append(self._stop())
            for _ in range(SETTLING):
                self.bare()
            self._start()
            for _ in range(self.steps):
                self.bare()
            self.theirs.append(self._stop())

    def _start(self) -> None:
        self._synchronize()
        self._started = time.perf_counter(), time.process_time()

    def _stop(self) -> Turn:
        self._synchronize()
        clock, processor = self._started
        return Turn(time.perf_counter() - clock, time.process_time() - processor)

    def _synchronize(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=Path, required=True, help="a store of simulated pairs")
    parser.add_argument("--recipes", nargs="+", default=RECIPES, choices=RECIPES)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=10, help="counted in a turn of each")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--memory-mb", type=int, default=2000, help="of pairs that are kept")
    arguments = parser.parse_args()
    device = resolve_device(arguments.device)
    precision = resolve_precision(arguments.precision, device)
    task = task_of_store(arguments.pairs)
    result: dict[str, object] = {
        **describe_machine(),
        "threads": torch.get_num_threads(),
        "task": task.name,
        "size": arguments.size,
        "batch": arguments.batch,
        "precision": precision,
    }
    steps = arguments.turns * (SETTLING + arguments.steps)
    for name in arguments.recipes:
        recipe = recipe_for(name, task, arguments.size, arguments.batch, steps)
        training = prepare(recipe, task, arguments.pairs, device, precision)
        turns = alternate(training, arguments.steps, arguments.memory_mb * 1_000_000)
        result[name] = found = figures(turns, arguments.steps * arguments.batch)
        print(f"{name}: {json.dumps(found)}", file=sys.stderr, flush=True)
    print(json.dumps(result, indent=2))


def task_of_store(pairs: Path) -> Task:
    """What the pairs of a store are for."""
    record = read_record(StoreLayout(pairs).build)
    if not isinstance(record, PairsRecord):
        raise SystemExit(f"{pairs} holds no pairs; expected a store that dfsynth simulate has made")
    return record.task


def recipe_for(name: str, task: Task, size: int, batch: int, steps: int) -> Recipe:
    """A packaged recipe for a task: its last phase alone, validated at the end alone."""
    recipe = fit_recipe(read_recipe(recipe_path(name)), task, size)
    return replace(
        recipe,
        batch=batch,
        checkpoint_every=steps,
        validation=ValidationSettings(every_steps=steps, most_pairs=1, panel_pairs=0),
        phase=(replace(recipe.phase[-1], steps=steps, epochs=None),),
    )


def prepare(
    recipe: Recipe, task: Task, pairs: Path, device: torch.device, precision: str
) -> PreparedTraining:
    """The training of a recipe on the pairs of a store."""
    source = open_pairs(
        pairs,
        None,
        recipe.size,
        recipe.window,
        task.input.convention,
        task,
        task.output.convention,
    )
    indices: dict[str, tuple[int, ...]] = {s: indices_in(source, s) for s in SPLITS}
    return PreparedTraining(recipe, source, indices, device, precision)


def alternate(training: PreparedTraining, steps: int, memory_bytes: int) -> Alternation:
    """Trains to the end, with turns of the bare loop in between."""
    recipe, pairs = training.recipe, training.indices["train"]
    with BatchReader(training.source, pairs, recipe.batch, recipe.seed) as reader:
        batch = reader.batch(0).to(training.device)
    bare = bare_step(recipe, batch, training.precision)
    turns = Alternation(bare, training.device, steps)
    with tempfile.TemporaryDirectory() as folder:
        train_prepared(training, Path(folder) / "run", turns, memory_bytes)
    return turns


def figures(turns: Alternation, pairs: int) -> dict[str, object]:
    """Pairs/s of both and ours over those of the bare loop; a turn has `pairs` of them."""
    clock = [bare.clock / ours.clock for ours, bare in zip(turns.ours, turns.theirs, strict=True)]
    processor = [
        bare.processor / ours.processor for ours, bare in zip(turns.ours, turns.theirs, strict=True)
    ]
    return {
        "pairs/s": round(pairs / float(np.median([t.clock for t in turns.ours])), 2),
        "bare pairs/s": round(pairs / float(np.median([t.clock for t in turns.theirs])), 2),
        "ratio": spread(clock),
        "ratio by processor time": spread(processor),
    }


def spread(ratios: list[float]) -> list[float]:
    """Median, least and largest."""
    return [round(float(f(ratios)), 3) for f in (np.median, np.min, np.max)]


if __name__ == "__main__":
    main()
