"""The runs of `streak_table.py`: configurations of the loss, one training each, its figures.

Results hold the figures of every test slice (`kept_runs.py` says where).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self, get_args

import torch
from kept_runs import KeptRuns, identity_of

from dfsynth.checkpoint import read_checkpoint
from dfsynth.datasets import PairSource, indices_in, open_pairs
from dfsynth.datasets.reader import BUDGET_BYTES
from dfsynth.errors import UsageError
from dfsynth.evaluate.prediction import predict_pairs
from dfsynth.evaluate.streaks import SliceTruth, known_slice, measure_slice
from dfsynth.inference import load_map_generator
from dfsynth.progress import Silent, SilentTraining
from dfsynth.records import Float32Map
from dfsynth.splits import SPLITS
from dfsynth.train import Recipe, read_recipe, recipe_path, train_prepared
from dfsynth.train.amplification import Amplification, Kind, Profile
from dfsynth.train.preparation import PreparedTraining, check_sizes
from dfsynth.train.recipe import Misfit

_KINDS: Final[Mapping[Kind, str]] = {
    "spatial": "S",
    "frequency": "F",
    "spatial_frequency": "S+F",
    "frequency_spatial": "F+S",
}
Figures = Mapping[str, float]
"""Of one slice, by name; NaN where one is not defined."""


@dataclass(frozen=True, slots=True)
class LossConfiguration:
    """A loss of the paper: a misfit and the weights on its map."""

    misfit: Misfit
    kind: Kind = "none"
    profile: Profile = "linear"
    """Of the weights over place and over frequency."""

    @property
    def title(self) -> str:
        """In tables, such as `L2 S+F linear`."""
        weights = "none" if self.kind == "none" else f"{_KINDS[self.kind]} {self.profile}"
        return f"{self.misfit.upper()} {weights}"

    @property
    def slug(self) -> str:
        """In names of files, such as `l2-sf-linear`."""
        return self.title.lower().replace("+", "").replace(" ", "-")

    def applied_to(self, recipe: Recipe, seed: int) -> Recipe:
        """The recipe with this loss; the checkpoint with the least plain misfit is kept."""
        weights = Amplification(self.kind, self.profile, self.profile)
        return replace(
            recipe,
            name=f"{recipe.name}-{self.slug}",
            seed=seed,
            loss=replace(recipe.loss, misfit=self.misfit, amplification=weights),
            validation=replace(recipe.validation, score="mse" if self.misfit == "l2" else "mae"),
        )


CONFIGURATIONS: Final = tuple(
    LossConfiguration(misfit, kind, profile)
    for misfit in get_args(Misfit)
    for kind, profiles in (("none", ("linear",)), *((k, get_args(Profile)) for k in _KINDS))
    for profile in profiles
)
"""The 18 of Frey et al."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training."""

    configuration: LossConfiguration
    seed: int

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.configuration.slug}-{self.seed:02d}"


@dataclass(frozen=True, slots=True)
class Result:
    """What a training came to."""

    run: Run
    slices: Mapping[str, Figures]
    """Test slice → figures."""
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Pairs and a base recipe, and the folder that keeps what is made of them."""

    kept: KeptRuns
    recipe: Recipe
    source: PairSource
    truths: Mapping[int, SliceTruth]
    """Index of each test slice → its truth."""

    @classmethod
    def open(cls, out: Path, data: Path, recipe: str) -> Self:
        """Reads the base recipe, opens the pairs, and finds the test slices.

        Raises:
            UsageError: recipe or pairs that cannot be used.
        """
        base = read_recipe(recipe_path(recipe))
        check_sizes(base)
        task = base.task_record
        source = open_pairs(data, None, base.size, base.window, task.input.convention, task)
        for split in ("train", "val", "test"):
            if not indices_in(source, split):
                raise UsageError(f"{data} has no pair in the group {split!r}: simulate more")
        return cls(KeptRuns.open(out), base, source, _truths(source))

    def prepared(self, run: Run) -> PreparedTraining:
        """The training of a run, on the CPU."""
        indices: dict[str, tuple[int, ...]] = {s: indices_in(self.source, s) for s in SPLITS}
        recipe = run.configuration.applied_to(self.recipe, run.seed)
        return PreparedTraining(recipe, self.source, indices, torch.device("cpu"), "fp32")

    def result_of(self, run: Run) -> Result | None:
        """The kept result of a run; None where there is none yet.

        Raises:
            ConflictError: it is of another recipe or other pairs.
        """
        held = self.kept.read(run.name, identity_of(self.prepared(run)))
        if held is None:
            return None
        return Result(run, _decoded(held["slices"]), held["seconds"])

    def finish(self, run: Run) -> bool:
        """Trains a run to its end and keeps its figures, unless that is done or another process's.

        Returns:
            Whether this call did it.

        Raises:
            DfsynthError: a failure that ends the run; its last state is kept.
        """
        with self.kept.claimed(run.name) as ours:
            if not ours:
                return False
            is_new = self.result_of(run) is None
            if is_new:
                self._train(run)
            # A kill may have come between the result and this.
            self.kept.reduce(run.name)
            return is_new

    def untrained(self, name: str) -> Mapping[str, Figures]:
        """Figures of the test slices of one rotation (`input`) or of all of them (`target`)."""
        held = self.kept.read(name)
        if held is None:
            pairs = {i: self.source.read(i) for i in self.truths}
            images = {
                i: (pair.image if name == "input" else pair.target)[pair.content]
                for i, pair in pairs.items()
            }
            held = {"slices": _encoded(self._measured(images))}
            self.kept.write(name, held)
        return _decoded(held["slices"])

    def _train(self, run: Run) -> None:
        prepared, folder = self.prepared(run), self.kept.folder(run.name)
        report = train_prepared(prepared, folder, SilentTraining(), BUDGET_BYTES)
        document = {
            "configuration": run.configuration.title,
            "seed": run.seed,
            "identity": identity_of(prepared),
            "steps": report.steps,
            "bad_steps": report.bad_steps,
            "seconds": report.seconds,
            "slices": _encoded(self._measured(self._restored(report.best))),
        }
        self.kept.write(run.name, document)

    def _restored(self, checkpoint: Path) -> Mapping[int, Float32Map]:
        """Index of each test slice → what a checkpoint makes of it, (y, x) in 1/m."""
        files = read_checkpoint(checkpoint)
        generator = load_map_generator(files, torch.device("cpu"), "fp32", mc_samples=1)
        predicted = predict_pairs(generator, self.source, tuple(self.truths), Silent())
        return {pair.index: pair.image.stages[-1].mean for pair in predicted}

    def _measured(self, images: Mapping[int, Float32Map]) -> Mapping[str, Figures]:
        return {
            self.source.rows[i].key: measure_slice(image, self.truths[i]).values()
            for i, image in images.items()
        }


def ordered_runs(
    configurations: Sequence[LossConfiguration], seeds: Sequence[int]
) -> tuple[Run, ...]:
    """All configurations from the first seed, then from the second: parts of a study compare."""
    return tuple(Run(configuration, seed) for seed in seeds for configuration in configurations)


def _truths(source: PairSource) -> Mapping[int, SliceTruth]:
    found = {}
    for index in indices_in(source, "test"):
        known = known_slice(source.read(index), source.rows[index])
        if known is None:
            raise UsageError(
                f"pair {source.rows[index].key!r} lacks its truth, masks or pixel size: expected a "
                "store of dfsynth simulate --task dark-field-ct"
            )
        found[index] = known
    return found


def _encoded(slices: Mapping[str, Figures]) -> dict[str, dict[str, float | None]]:
    """JSON has no NaN: null."""
    return {
        key: {name: value if math.isfinite(value) else None for name, value in figures.items()}
        for key, figures in slices.items()
    }


def _decoded(slices: Mapping[str, Mapping[str, float | None]]) -> Mapping[str, Figures]:
    return {
        key: {name: math.nan if value is None else value for name, value in figures.items()}
        for key, figures in slices.items()
    }
