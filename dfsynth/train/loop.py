"""The loop of one process of a training: steps, validations, and what is kept."""

from dataclasses import asdict

import torch

from dfsynth.checkpoint import CARD
from dfsynth.datasets import BatchReader, augment, read_batch
from dfsynth.errors import DfsynthError
from dfsynth.progress import TrainProgress
from dfsynth.threads.signals import PendingSignals, signals_put_off
from dfsynth.train.batch_fit import check_batch_fits
from dfsynth.train.early_stopping import BestSoFar, is_early_validation
from dfsynth.train.initial_checkpoint import LungTeacherNetwork
from dfsynth.train.model_card import trained_card
from dfsynth.train.monitor import Monitor
from dfsynth.train.preparation import PreparedTraining
from dfsynth.train.processes import Processes
from dfsynth.train.run_folder import RunFolder
from dfsynth.train.trainer import StepReport, Trainer
from dfsynth.train.validation import Scores, spread_over_patients

_VALIDATION_BATCH = 8


class TrainingLoop:
    """One process's part of a training, from the state that its folder keeps to the end."""

    def __init__(
        self,
        prepared: PreparedTraining,
        folder: RunFolder,
        processes: Processes,
        progress: TrainProgress,
        memory_bytes: int,
    ) -> None:
        """Builds the networks and takes up the kept state; pairs may fill `memory_bytes`.

        Raises:
            UsageError: the batch does not fit the device.
            DfsynthError: the kept state is damaged.
        """
        self._prepared = prepared
        self._folder = folder
        self._processes = processes
        self._progress = progress
        self._recipe, self._device = prepared.recipe, prepared.device
        recipe, indices = prepared.recipe, prepared.indices["train"]
        self.trainer = Trainer(recipe, self._device, prepared.precision, processes, len(indices))
        self.best = BestSoFar()
        self._lung_teacher: LungTeacherNetwork | None = None
        if prepared.initial is not None:
            self.trainer.load_initial_weights(prepared.initial.weights)
            if recipe.network.lung_head and recipe.loss.lung and not prepared.source.knows_lungs:
                self._lung_teacher = LungTeacherNetwork(prepared.initial, self._device)
        kept = folder.restore()
        self._is_new = kept is None
        if kept is not None:
            state, self.best = kept
            try:
                self.trainer.restore(state)
            except (LookupError, RuntimeError, TypeError, ValueError) as error:
                raise folder.damaged() from error
        check_batch_fits(self.trainer, recipe)
        self._reader = BatchReader(
            prepared.source,
            indices,
            recipe.batch,
            recipe.seed,
            memory_bytes,
            rank=processes.rank,
            world_size=processes.world_size,
        )
        self._validated = spread_over_patients(
            prepared.source.rows, prepared.indices["val"], recipe.validation.most_pairs
        )
        # Lines past a state are removed, so a run may be read while it goes on.
        after = None if self._is_new else self.trainer.steps_taken
        self._monitor = (
            Monitor(folder, recipe.task_record, after, recipe.unpaired) if processes.first else None
        )

    def run(self) -> None:
        """Trains what is left of the recipe.

        Raises:
            DfsynthError: losses are not finite, memory does not suffice, or no checkpoint came of
                it; the last state is kept.
        """
        self._announce()
        try:
            if self._is_new and self._prepared.initial is not None:
                # Few pairs may make it worse: what training starts from is a candidate too.
                self._validate()
            with self._reader, signals_put_off() as pending:
                self._run_phases(pending)
        except torch.OutOfMemoryError as error:
            raise DfsynthError(
                f"step {self.trainer.steps_taken + 1} ran out of memory on {self._device}; the "
                "last state is kept; a smaller batch is another recipe: start it with --start-from "
                f"{self._folder.best} in another --out"
            ) from error
        finally:
            if self._monitor is not None:
                self._monitor.close()
        self._require_checkpoint()

    def _announce(self) -> None:
        if not self._processes.first:
            return
        trainer, recipe = self.trainer, self._recipe
        total = sum(p.total_steps(trainer.epoch_steps) for p in recipe.phase)
        self._progress.start(total, trainer.steps_taken)
        counts = ", ".join(f"{len(v)} {k}" for k, v in self._prepared.indices.items())
        self._progress.message(
            f"{recipe.name} on {self._device} in {self._prepared.precision}: {counts} pairs"
        )
        if self._monitor is not None and not self._monitor.has_curves:
            self._progress.message("no TensorBoard logs: install dfsynth[train] for them")

    def _run_phases(self, pending: PendingSignals) -> None:
        trainer = self.trainer
        while not self._finish_phase(pending):
            if trainer.phase_index + 1 == len(self._recipe.phase):
                break
            trainer.start_phase(trainer.phase_index + 1)
            self.best = self.best.in_new_phase()
        self._save()

    def _finish_phase(self, pending: PendingSignals) -> bool:
        """Steps until the phase ends, its patience does, or a signal asks to stop: True."""
        trainer, every = self.trainer, self._recipe.validation.every_steps
        patience = self._recipe.validation.patience
        while trainer.step < trainer.phase_steps:
            if self._asked_to_stop(pending):
                return True
            if patience is not None and self.best.validations_since >= patience:
                self._message(f"phase {trainer.phase.name}: no better for {patience} validations")
                break
            self._step()
            ends = trainer.step == trainer.phase_steps
            if ends or trainer.steps_taken % every == 0:
                self._validate()
            elif is_early_validation(trainer.steps_taken, every):
                self._validate(taxes_patience=False)
            if ends or trainer.steps_taken % self._recipe.checkpoint_every == 0:
                self._save()
        return self._asked_to_stop(pending)

    def _asked_to_stop(self, pending: PendingSignals) -> bool:
        """Whether a signal has come to any process; then all of them stop by it.

        A launcher's signals arrive one after the other: who stops alone leaves the others waiting
        in the next step for ever.
        """
        signal = self._processes.largest(pending.first, self._device)
        pending.take(signal)
        return bool(signal)

    def _step(self) -> None:
        trainer = self.trainer
        rng = trainer.step_rng()
        batch = self._reader.batch(trainer.steps_taken)
        batch = augment(batch, self._recipe.augmentation, rng, self._device)
        if self._lung_teacher is not None:
            batch = self._lung_teacher(batch)
        self._record(trainer.train_step(batch, rng))

    def _record(self, report: StepReport) -> None:
        if self._monitor is None:
            return
        name, step = self.trainer.phase.name, self.trainer.steps_taken
        self._monitor.step(name, step, report.terms, report.learning_rate)
        self._progress.advance(step, name, sum(report.terms.values()))
        if not report.finite:
            self._message(f"step {step}: loss or gradient is not finite; the step is left out")

    def _validate(self, *, taxes_patience: bool = True) -> None:
        source, indices = self._prepared.source, self._validated
        portions = (
            indices[first : first + _VALIDATION_BATCH]
            for first in range(0, len(indices), _VALIDATION_BATCH)
        )
        batches = (read_batch(source, portion) for portion in portions)
        scores = self.trainer.validate(batches)
        # One number for all: processes on different GPUs may differ in the last digits.
        found = torch.tensor(getattr(scores, self._recipe.validation.score), device=self._device)
        score = float(self._processes.average(found))
        better = self.best.is_beaten_by(score)
        self.best = self.best.after(score, taxes_patience=taxes_patience)
        if self._monitor is not None:
            self._keep(self._monitor, scores, better)

    def _keep(self, monitor: Monitor, scores: Scores, better: bool) -> None:
        """Writes what a validation found, and the checkpoint if it is the best."""
        trainer, name = self.trainer, self.trainer.phase.name
        step = trainer.steps_taken
        monitor.validated(name, step, asdict(scores))
        self._message(
            f"step {step} ({name}): validation {scores.summary()}"
            + (", the best so far" if better else "")
        )
        if better:
            card = trained_card(self._prepared, scores, step)
            self._folder.keep_best(trainer.averaged, card)
        shown = self._validated[: self._recipe.validation.panel_pairs]
        if shown:
            source = self._prepared.source
            batch = read_batch(source, shown)
            with torch.inference_mode():
                image = batch.image.to(self._device)
                predictions = trainer.predict(image)
            keys = [source.rows[i].key for i in shown]
            monitor.draw(batch, predictions, keys, step, self._recipe.window)

    def _save(self) -> None:
        # What gives no finite loss is nothing to go on from: the state before it stays.
        if self._processes.first and self.trainer.is_sound:
            self._folder.save(self.trainer.state(), self.best, self.trainer.steps_taken)
        self._processes.wait()

    def _require_checkpoint(self) -> None:
        if self.best.score is None:
            raise DfsynthError(
                f"no validation of {self._folder.path} gave a finite loss, so that there is no "
                "checkpoint; try a smaller learning_rate in another --out"
            )
        if self._processes.first and not (self._folder.best / CARD).exists():
            raise DfsynthError(
                f"{self._folder.best} is gone, and a finished run does not make it again; put it "
                "back, or choose another --out"
            )

    def _message(self, text: str) -> None:
        if self._processes.first:
            self._progress.message(text)
