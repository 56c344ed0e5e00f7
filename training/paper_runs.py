"""One task's trainings: resumable, shared by any number of processes, each tested on its fold."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import torch
from kept_runs import KeptRuns, identity_of
from kept_training import NotYetError, generating_seconds, trained_once
from paper_folds import Fold, deal
from paper_methods import CASCADE, Budget, Method, recipe_of

import dfsynth
from dfsynth.checkpoint import CheckpointFiles, read_checkpoint
from dfsynth.datasets import indices_in, open_pairs
from dfsynth.datasets.store_pairs import StorePairs
from dfsynth.devices import resolve_device, resolve_precision
from dfsynth.errors import UsageError
from dfsynth.evaluate.job import EvaluatedCheckpoint, evaluate_pairs
from dfsynth.inference import MapGenerator, load_map_generator
from dfsynth.options import EvaluationOptions
from dfsynth.progress import Silent
from dfsynth.splits import SPLITS
from dfsynth.tasks import Task, task_named
from dfsynth.train.preparation import PreparedTraining, check_sizes

RATES: Final = (3e-4, 1e-3, 3e-3)
"""Learning rates that are tried for every method, each with a part of the steps."""
_TRIAL_SHARE: Final = 0.25
_TEST_PAIRS: Final = 48
"""Of a fold, at most, evenly spaced."""
_TIMED_PAIRS: Final = 8


@dataclass(frozen=True, slots=True)
class Training:
    """One network from one seed."""

    method: Method
    fold: Fold
    steps: int
    rate: float
    member: int = 0
    trial: bool = False
    """Of a learning rate: it is not tested."""

    @property
    def name(self) -> str:
        """Of its files."""
        kind = "trial" if self.trial else f"s{self.member}"
        return f"{self.method.slug}-{self.fold.slug}-{self.steps}-{self.rate:g}-{kind}"

    @property
    def seed(self) -> int:
        """Another for each fold and member; the same for all methods."""
        return 100 * self.fold.number + self.member


@dataclass(frozen=True, slots=True)
class FoldResult:
    """What a method came to on the test patients of a fold."""

    method: str
    fold: Fold
    steps: int
    rate: float
    rows: Sequence[Mapping[str, Any]]
    """A line an image, stage and region, as `dfsynth evaluate` writes them, against the target as
    it was measured; None where a figure is not defined."""
    train_seconds: float
    """Time of the trainings, in s: on a CPU that of one core."""
    image_seconds: float
    """Time of a test image with all its samples, in s: on a CPU that of one core."""


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """The pairs of a task, the budget of each training, and the folder that keeps results."""

    kept: KeptRuns
    task: Task
    budget: Budget
    folds: int
    device: torch.device
    learned: StorePairs
    """Targets as networks give them."""
    measured: StorePairs
    """Targets in their unit."""

    @classmethod
    def open(
        cls, out: Path, task: str, data: Path, budget: Budget, folds: int, device: str = "cpu"
    ) -> Self:
        """Opens the pairs.

        Raises:
            UsageError: they cannot be used, or the device is not there.
        """
        known, chosen = task_named(task), resolve_device(device)
        given = (data, None, budget.size, known.window, known.input.convention, known)
        sources = open_pairs(*given, known.output.convention), open_pairs(*given)
        stores = [source for source in sources if isinstance(source, StorePairs)]
        if len(stores) < len(sources):
            raise UsageError(f"{data} is no store of pairs; expected one of dfsynth simulate")
        geometry = stores[0].geometry
        if geometry.height > geometry.source_height:
            size = budget.size
            raise UsageError(
                f"{data} has pairs of {geometry.source_height} x {geometry.source_width} pixels; "
                f"expected {size} x {size} or more: simulate with --size {size}"
            )
        return cls(KeptRuns.open(out), known, budget, folds, chosen, *stores)

    def fold(self, number: int, patients: int | None = None) -> Fold:
        """One of them."""
        return Fold(number, self.folds, patients)

    def tested(
        self, method: Method, fold: Fold, steps: int | None = None, *, make: bool = True
    ) -> FoldResult | None:
        """A method trained at its best rate and tested on a fold; made where it is not there yet.

        Without `make`, None where it is not.

        Raises:
            NotYetError: another process is at it.
            UsageError: too few patients.
        """
        rate = self.best_rate(method, make=make)
        if rate is None:
            return None
        steps = steps or self.budget.steps
        members = range(method.members)
        parts = [Training(method.trained, fold, steps, rate, n) for n in members]
        name = f"{Training(method, fold, steps, rate).name}-test"
        identity = "-".join(identity_of(self._prepared(part)) for part in parts)
        held = self.kept.read(name, identity)
        if held is None and make:
            runs = [self._trained(part) for part in parts]
            with self.kept.claimed(name) as ours:
                if not ours:
                    raise NotYetError
                if self.kept.read(name, identity) is None:
                    self.kept.write(name, self._test(method, fold, runs, identity))
            held = self.kept.read(name, identity)
        return None if held is None else _tested(Training(method, fold, steps, rate), held)

    def best_rate(self, method: Method, *, make: bool = True) -> float | None:
        """Of `RATES`, by the validation patients of the first fold; members have that of one."""
        steps, fold = max(round(_TRIAL_SHARE * self.budget.steps), 1), self.fold(0)
        trials = [Training(method.trained, fold, steps, rate, trial=True) for rate in RATES]
        scores = {}
        for trial in trials:
            held = self._trained(trial) if make else self.kept.read(trial.name)
            if held is None:
                return None
            scores[trial.rate] = held["score"]
        return min(scores, key=lambda rate: scores[rate])

    def _trained(self, training: Training) -> Mapping[str, Any]:
        """What a training came to; trained where it is not there yet."""
        return trained_once(self.kept, training.name, self._prepared(training))

    def _prepared(self, training: Training) -> PreparedTraining:
        budget = replace(self.budget, steps=training.steps)
        recipe = recipe_of(training.method, self.task.name, budget, training.rate, training.seed)
        check_sizes(recipe)
        source = deal(self.learned, training.fold)
        indices: dict[str, tuple[int, ...]] = {s: indices_in(source, s) for s in SPLITS}
        return PreparedTraining(recipe, source, indices, self.device, self._precision)

    @property
    def window(self) -> tuple[float, float]:
        """Values of the output that count as dark and bright, in its unit."""
        return recipe_of(CASCADE, self.task.name, self.budget, RATES[0], 0).window

    def dealt(self, fold: Fold) -> StorePairs:
        """The pairs of a fold, targets in their unit."""
        return deal(self.measured, fold)

    def generator(self, method: Method, fold: Fold) -> MapGenerator | None:
        """A method of the comparison with its own samples; None where it is not trained yet.

        Of an ensemble it is the first member.
        """
        rate = self.best_rate(method, make=False)
        if rate is None:
            return None
        folder = self.kept.folder(Training(method.trained, fold, self.budget.steps, rate).name)
        if not (folder / "best").exists():
            return None
        files = read_checkpoint(folder / "best")
        return load_map_generator(files, self.device, self._precision, mc_samples=method.samples)

    def sampled(
        self, method: Method, fold: Fold, steps: int, samples: int, *, make: bool = True
    ) -> FoldResult | None:
        """A method's network of the comparison with other passes a sample and samples an image.

        Without `make`, None where it is not there yet; nor is it before the comparison has trained
        the network.

        Raises:
            NotYetError: another process is at it.
        """
        rate = self.best_rate(method, make=False)
        if rate is None:
            return None
        training = Training(method, fold, self.budget.steps, rate)
        run = self.kept.read(training.name, identity_of(self._prepared(training)))
        if run is None:
            return None
        name = f"{training.name}-{steps}x{samples}"
        identity = f"{run['identity']}-{steps}-{samples}"
        held = self.kept.read(name, identity)
        if held is None and make:
            files = read_checkpoint(self.kept.folder(training.name) / "best")
            arguments = replace(files.card.arguments, steps=steps)
            files = replace(files, card=replace(files.card, arguments=arguments))
            with self.kept.claimed(name) as ours:
                if not ours:
                    raise NotYetError
                found = self._measured(files, samples, fold)
                held = {**found, "identity": identity, "train_seconds": run["seconds"]}
                self.kept.write(name, held)
        return None if held is None else _tested(training, held)

    def _test(
        self, method: Method, fold: Fold, runs: Sequence[Mapping[str, Any]], identity: str
    ) -> dict[str, Any]:
        bests = [self.kept.folder(run["name"]) / "best" for run in runs]
        if len(bests) > 1:
            digest = hashlib.blake2b(identity.encode(), digest_size=8).hexdigest()
            joined = self.kept.folder(f"{method.slug}-{fold.slug}-{digest}")
            if not joined.exists():
                dfsynth.join_members(bests, joined)
            bests = [joined]
        found = self._measured(read_checkpoint(bests[0]), method.samples, fold)
        return {
            **found,
            "identity": identity,
            "train_seconds": sum(run["seconds"] for run in runs),
        }

    def _measured(self, files: CheckpointFiles, samples: int, fold: Fold) -> dict[str, Any]:
        """What a checkpoint makes of the test patients of a fold."""
        generator = load_map_generator(files, self.device, self._precision, mc_samples=samples)
        checkpoint = EvaluatedCheckpoint(files, generator, str(self.device), self._precision)
        source = self.dealt(fold)
        options = EvaluationOptions(
            checkpoint=files.card.name,
            data=self.kept.out,
            limit=_TEST_PAIRS,
            mc_samples=samples,
            device=str(self.device),
            precision=self._precision,
        )
        report = evaluate_pairs(options, checkpoint, source, Silent())
        columns, *lines = report.per_image.table()
        rows = [_as_json(dict(zip(map(str, columns), line, strict=True))) for line in lines]
        chosen = indices_in(source, "test")[:_TIMED_PAIRS]
        return {
            "rows": [row for row in rows if row["target"] == "noisy"],
            "image_seconds": generating_seconds(generator, source, chosen, self.device),
        }

    @property
    def _precision(self) -> str:
        return resolve_precision("auto" if self.device.type == "cuda" else "fp32", self.device)


def _tested(training: Training, held: Mapping[str, Any]) -> FoldResult:
    return FoldResult(
        training.method.name,
        training.fold,
        training.steps,
        training.rate,
        held["rows"],
        held["train_seconds"],
        held["image_seconds"],
    )


def _as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no NaN."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
