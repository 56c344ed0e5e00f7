"""A whole training: pairs → batch → network → loss → step → checkpoint → calibrate."""

import time
from dataclasses import dataclass
from pathlib import Path

from dfsynth.datasets import check_pairs
from dfsynth.options import TrainOptions
from dfsynth.progress import SilentTraining, TrainProgress
from dfsynth.store.provenance import software_versions
from dfsynth.train.calibration import calibrate_best
from dfsynth.train.loop import TrainingLoop
from dfsynth.train.preparation import PreparedTraining, prepare_training
from dfsynth.train.processes import Processes, is_first_process, join_processes
from dfsynth.train.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class TrainReport:
    """What a run came to."""

    run: Path
    best: Path
    """The checkpoint with the least validation loss."""
    steps: int
    """Taken in all, earlier calls of the same command included."""
    steps_now: int
    """Taken by this call."""
    best_score: float | None
    """Least of the validation pairs, by the score that the recipe names."""
    bad_steps: int
    """Steps with a non-finite loss or gradient, which moved no weight."""
    pairs: dict[str, int]
    """In each group of patients."""
    writes: bool
    """Whether this process is the one that keeps files."""
    seconds: float
    """Time that training took, without preparing and calibrating."""
    pairs_per_second: float
    """Pairs trained on by this call over `seconds`, in 1/s."""


def run_training(options: TrainOptions, progress: TrainProgress) -> TrainReport:
    """Trains a recipe on pairs and calibrates the checkpoint that comes of it.

    Called again with the same options it goes on where it stopped.

    Raises:
        UsageError: the options are wrong, or the pairs cannot be used.
        ConflictError: the folder holds another run, or something else.
        DfsynthError: a failure that ends the run; the last state is kept.
    """
    if not is_first_process():
        # The first process speaks for all.
        progress = SilentTraining()
    prepared = prepare_training(options, progress)
    report = train_prepared(prepared, options.out, progress, options.memory_bytes)
    if report.writes:
        calibrate_best(report.best, report.pairs["calibration"], options, progress)
    return report


def train_prepared(
    prepared: PreparedTraining, out: Path, progress: TrainProgress, memory_bytes: int
) -> TrainReport:
    """Trains what `prepare_training` gives in the folder `out`, without calibrating it.

    Pairs may fill `memory_bytes` of memory. Called again it goes on where it stopped.

    Raises:
        UsageError: a pair cannot be used, or another process trains in `out`.
        ConflictError: the folder holds another run, or something else.
        DfsynthError: a failure that ends the run; the last state is kept.
    """
    folder, identity = RunFolder(out), prepared.identity()
    goes_on = folder.check(identity)
    with join_processes(prepared.device) as processes:
        processes.check_batch(prepared.recipe.batch)
        if not goes_on:
            check_pairs(prepared.source, progress.message)
        if not processes.first:
            return _run_loop(prepared, folder, processes, progress, memory_bytes)
        with folder.locked():
            if not folder.check(identity):
                folder.create(identity, software_versions(("torch", "numpy")))
            return _run_loop(prepared, folder, processes, progress, memory_bytes)


def _run_loop(
    prepared: PreparedTraining,
    folder: RunFolder,
    processes: Processes,
    progress: TrainProgress,
    memory_bytes: int,
) -> TrainReport:
    loop = TrainingLoop(prepared, folder, processes, progress, memory_bytes)
    started, steps_before = time.monotonic(), loop.trainer.steps_taken
    loop.run()
    seconds, steps = time.monotonic() - started, loop.trainer.steps_taken - steps_before
    return TrainReport(
        run=folder.path,
        best=folder.best,
        steps=loop.trainer.steps_taken,
        steps_now=steps,
        best_score=loop.best.score,
        bad_steps=loop.trainer.bad_steps,
        pairs={k: len(v) for k, v in prepared.indices.items()},
        writes=processes.first,
        seconds=seconds,
        pairs_per_second=steps * prepared.recipe.batch / max(seconds, 1e-9),
    )
