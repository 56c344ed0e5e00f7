"""A whole training, in one place: data, phases, validation, and what is kept."""

import math
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import torch

from dfsynth.checkpoint import CARD, NETWORK, ModelCard
from dfsynth.datasets import BatchReader, augment, check_pairs, read_batch
from dfsynth.errors import DfsynthError
from dfsynth.options import TrainOptions
from dfsynth.progress import SilentTraining, TrainProgress
from dfsynth.records import IntensityWindow
from dfsynth.store.provenance import software_versions
from dfsynth.train.batch_fit import check_batch_fits
from dfsynth.train.initial_checkpoint import LungTeacher
from dfsynth.train.monitor import Monitor
from dfsynth.train.preparation import Preparation, prepare_training, training_data
from dfsynth.train.processes import Processes, is_first_process, join_processes
from dfsynth.train.run_folder import RunFolder, Standing
from dfsynth.train.signals import PendingSignals, signals_put_off
from dfsynth.train.trainer import Trainer
from dfsynth.train.validation import Score, spread_over_patients, validate

_INTENDED_USE: Final = (
    "Research: making dark-field images and uncertainty maps from frontal chest radiographs like "
    "those that it was trained on. The images are synthetic. Not for diagnosis."
)
_LIMITS: Final = (
    "It knows what its training pairs show and nothing else; other machines, views, ages and body "
    "parts may give meaningless maps. Judge it with dfsynth evaluate on pairs of your own."
)
_VALIDATION_BATCH: Final = 8


@dataclass(frozen=True, slots=True)
class TrainReport:
    """What a run came to."""

    run: Path
    best: Path
    steps: int
    """Taken in all, earlier calls of the same command included."""
    steps_now: int
    best_score: float | None
    """Least negative log-likelihood of the validation pairs."""
    bad_steps: int
    """Steps with a non-finite loss, of which nothing was learned."""
    pairs: dict[str, int]
    """In each group of patients."""
    writes: bool
    """Whether this process is the one that keeps files."""
    seconds: float
    pairs_per_second: float


def train_generator(options: TrainOptions, progress: TrainProgress) -> TrainReport:
    """Trains a recipe on pairs; called again with the same options it goes on where it stopped.

    Raises:
        UsageError: wrong options, pairs that cannot be used, or a conflict with what the folder
            holds.
        DfsynthError: a failure that ends the run; the last state is kept.
    """
    if not is_first_process():
        # One of them tells what all do.
        progress = SilentTraining()
    prepared = prepare_training(options, progress)
    folder = RunFolder(options.out)
    identity = prepared.identity()
    goes_on = folder.check(identity)
    with join_processes(prepared.device) as processes:
        processes.check_batch(prepared.recipe.batch)
        if not goes_on:
            check_pairs(prepared.source, progress.message)
        if not processes.first:
            return _Run(prepared, options, folder, processes, progress).go()
        with folder.locked():
            if not folder.check(identity):
                folder.create(identity, software_versions(("torch", "numpy")))
            return _Run(prepared, options, folder, processes, progress).go()


class _Run:
    """One process's part of a training."""

    def __init__(
        self,
        prepared: Preparation,
        options: TrainOptions,
        folder: RunFolder,
        processes: Processes,
        progress: TrainProgress,
    ) -> None:
        self._prepared = prepared
        self._options = options
        self._folder = folder
        self._processes = processes
        self._progress = progress
        recipe, self._device = prepared.recipe, prepared.device
        self._recipe = recipe
        training = prepared.rows["train"]
        self._trainer = Trainer(recipe, self._device, prepared.precision, processes, len(training))
        self._standing = Standing()
        self._lung_teacher: LungTeacher | None = None
        if prepared.beginning is not None:
            self._trainer.start_from(prepared.beginning.weights)
            if recipe.loss.lung and not prepared.source.knows_lungs:
                self._lung_teacher = LungTeacher(prepared.beginning, self._device)
        kept = folder.restore()
        self._fresh = kept is None
        if kept is not None:
            self._trainer.restore(kept[0])
            self._standing = kept[1]
        check_batch_fits(self._trainer, recipe)
        self._reader = BatchReader(
            prepared.source,
            training,
            recipe.batch,
            recipe.seed,
            options.memory_bytes,
            rank=processes.rank,
            world_size=processes.world_size,
        )
        self._watched = spread_over_patients(
            prepared.source.rows, prepared.rows["val"], recipe.validation.most_pairs
        )
        # Lines past a state are removed, so a run may be read while it goes on.
        after = None if self._fresh else self._trainer.steps_taken
        self._monitor = Monitor(folder, after) if processes.first else None

    def go(self) -> TrainReport:
        """Trains what is left of the recipe."""
        trainer, started, before = self._trainer, time.monotonic(), self._trainer.steps_taken
        self._announce()
        try:
            if self._fresh and self._prepared.beginning is not None:
                # Few pairs may teach nothing good: what training starts from is a candidate too.
                self._validate()
            with self._reader, signals_put_off() as pending:
                while not self._finish_phase(pending):
                    if trainer.phase + 1 == len(self._recipe.phase):
                        break
                    trainer.begin(trainer.phase + 1)
                    self._standing = replace(self._standing, waited=0)
                self._save()
        except torch.OutOfMemoryError as error:
            raise DfsynthError(
                f"step {trainer.steps_taken + 1} ran out of memory on {self._device}; the last "
                "state is kept; a smaller batch is another recipe: begin with --start-from "
                f"{self._folder.best} in another --out"
            ) from error
        finally:
            if self._monitor is not None:
                self._monitor.close()
        if self._standing.best_score is None:
            raise DfsynthError(
                f"no validation of {self._folder.path} gave a finite loss, so that there is no "
                "checkpoint; try a smaller learning_rate in another --out"
            )
        if self._processes.first and not (self._folder.best / CARD).exists():
            raise DfsynthError(
                f"{self._folder.best} is gone, and a finished run does not make it again; put it "
                "back, or choose another --out"
            )
        seconds, steps = time.monotonic() - started, trainer.steps_taken - before
        return TrainReport(
            run=self._folder.path,
            best=self._folder.best,
            steps=trainer.steps_taken,
            steps_now=steps,
            best_score=self._standing.best_score,
            bad_steps=trainer.bad_steps,
            pairs={k: len(v) for k, v in self._prepared.rows.items()},
            writes=self._processes.first,
            seconds=seconds,
            pairs_per_second=steps * self._recipe.batch / max(seconds, 1e-9),
        )

    def _announce(self) -> None:
        if not self._processes.first:
            return
        trainer, recipe = self._trainer, self._recipe
        total = sum(p.total_steps(trainer.epoch_steps) for p in recipe.phase)
        self._progress.start(total, trainer.steps_taken)
        counts = ", ".join(f"{len(v)} {k}" for k, v in self._prepared.rows.items())
        self._progress.message(
            f"{recipe.name} on {self._device} in {self._prepared.precision}: {counts} pairs"
        )
        if self._monitor is not None and not self._monitor.has_curves:
            self._progress.message("no TensorBoard logs: install dfsynth[train] for them")

    def _finish_phase(self, pending: PendingSignals) -> bool:
        """Steps until the phase ends, its patience does, or a signal asks to stop: True."""
        trainer, every = self._trainer, self._recipe.validation.every_steps
        patience = self._recipe.validation.patience
        while trainer.step < trainer.phase_steps:
            if self._asked_to_stop(pending):
                return True
            if patience is not None and self._standing.waited >= patience:
                self._tell(f"phase {trainer.plan.name}: no better for {patience} validations")
                break
            self._step()
            ends = trainer.step == trainer.phase_steps
            if ends or trainer.steps_taken % every == 0:
                self._validate()
            if ends or trainer.steps_taken % self._recipe.checkpoint_every == 0:
                self._save()
        return self._asked_to_stop(pending)

    def _asked_to_stop(self, pending: PendingSignals) -> bool:
        """Whether a signal has come to any process; then all of them stop by it.

        A launcher's signals arrive one after the other: who stops alone leaves the others waiting
        in the next step for ever.
        """
        number = self._processes.largest(pending.first, self._device)
        pending.take(number)
        return bool(number)

    def _step(self) -> None:
        trainer = self._trainer
        rng = trainer.step_rng()
        batch = self._reader.batch(trainer.steps_taken)
        batch = augment(batch, self._recipe.augmentation, rng, self._device)
        if self._lung_teacher is not None:
            batch = self._lung_teacher(batch)
        report = trainer.learn(batch, rng)
        if self._monitor is not None:
            name, step = trainer.plan.name, trainer.steps_taken
            self._monitor.step(name, step, report.terms, report.learning_rate)
            self._progress.advance(step, trainer.plan.name, sum(report.terms.values()))
            if not report.finite:
                self._tell(
                    f"step {step}: loss or gradient is not finite; nothing was learned from it"
                )

    def _validate(self) -> None:
        trainer = self._trainer
        source, watched = self._prepared.source, self._watched
        portions = (
            watched[first : first + _VALIDATION_BATCH]
            for first in range(0, len(watched), _VALIDATION_BATCH)
        )
        batches = (read_batch(source, numbers) for numbers in portions)
        score = validate(trainer.averaged, batches, self._device)
        # One number for all: processes on different GPUs may differ in the last digits.
        nll = float(self._processes.average(torch.tensor(score.nll, device=self._device)))
        best = self._standing.best_score
        better = math.isfinite(nll) and (best is None or nll < best)
        self._standing = Standing(nll, 0) if better else Standing(best, self._standing.waited + 1)
        if self._monitor is None:
            return
        step, name = trainer.steps_taken, trainer.plan.name
        self._monitor.validated(name, step, asdict(score))
        self._tell(
            f"step {step} ({name}): validation NLL {score.nll:.4f}, MAE {score.mae:.4f}"
            + (", the best so far" if better else "")
        )
        if better:
            self._folder.keep_best(trainer.averaged, self._card(score, step))
        shown = self._watched[: self._recipe.validation.panel_pairs]
        if shown:
            batch = read_batch(self._prepared.source, shown)
            names = [self._prepared.source.rows[i].key for i in shown]
            self._monitor.draw(
                trainer.averaged, batch, names, step, self._recipe.window, self._device
            )

    def _save(self) -> None:
        # What gives no finite loss is nothing to go on from: the state before it stays.
        if self._processes.first and self._trainer.is_sound:
            trainer = self._trainer
            self._folder.save(trainer.state(), self._standing, trainer.steps_taken)
        self._processes.wait()

    def _card(self, score: Score, step: int) -> ModelCard:
        recipe, beginning = self._recipe, self._prepared.beginning
        start = {} if beginning is None else {"start": beginning.origin()}
        return ModelCard(
            name=recipe.name,
            network=NETWORK,
            arguments=recipe.network,
            grid=(recipe.size, recipe.size),
            intensity=IntensityWindow(),
            unit="1",
            window=recipe.window,
            licence="that of the training data",
            intended_use=_INTENDED_USE,
            limits=_LIMITS,
            training_data=training_data(self._prepared),
            recipe=asdict(recipe) | start,
            metrics={"validation": asdict(score), "step": step},
        )

    def _tell(self, text: str) -> None:
        if self._processes.first:
            self._progress.message(text)
