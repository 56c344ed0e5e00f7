"""Restoring networks, one training for each degrader and family, tested on the same pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import torch
from kept_runs import KeptRuns, identity_of
from kept_training import NotYetError, generating_seconds, trained_once
from numpy.typing import NDArray
from paper_methods import DIFFUSION, FLOW, WIDE, Budget, Method, recipe_of
from restoration_measures import Measured, Unrestored, measure_images
from restoration_pairs import TASK, Stores

from dfsynth.checkpoint import read_checkpoint
from dfsynth.counted_nouns import counted
from dfsynth.datasets import indices_in, open_pairs
from dfsynth.datasets.store_pairs import StorePairs
from dfsynth.devices import resolve_precision
from dfsynth.errors import UsageError
from dfsynth.files.durable import make_folder
from dfsynth.inference import MapGenerator, load_map_generator
from dfsynth.records import AS_THE_CARD_SAYS, SamplerChoice, SamplerName
from dfsynth.splits import SPLITS
from dfsynth.tasks import task_named
from dfsynth.train import Recipe, read_recipe, recipe_path
from dfsynth.train.preparation import PreparedTraining, check_sizes

NETWORKS: Final[Mapping[str, Method]] = {
    "diffusion": replace(DIFFUSION, recipe="restoration-64"),
    "flow": replace(FLOW, recipe="restoration-flow-64"),
    "mean": Method("mean", "restoration-mean-64", {"widths": WIDE}),
}
"""With the networks of the comparison of methods; as wide as their recipes on a GPU. `mean` says
the mean at once, which has the least squared error that can be expected."""
AS_THEY_ARE: Final[Mapping[str, Unrestored]] = {
    "input": Unrestored(),
    "bicubic up-sampling": Unrestored(enlarged=True),
}
"""What no network is needed for. The second enlarges the input from half its resolution."""
_RESIDUAL: Final = 0.25
"""Of the recipes of all `NETWORKS`."""
_TIMED_PAIRS: Final = 8


@dataclass(frozen=True, slots=True)
class Fit:
    """One training."""

    degrader: str
    network: str
    """One of `NETWORKS`."""
    seed: int = 0

    @property
    def name(self) -> str:
        """In tables."""
        return f"{self.network}, {self.degrader}"

    @property
    def slug(self) -> str:
        """Of its files, without the budget."""
        return f"{self.network}-{self.degrader}-s{self.seed}"


@dataclass(frozen=True, slots=True)
class Setting:
    """How samples are drawn."""

    sampler: SamplerName | None
    """None: the network turns no noise into samples."""
    steps: int
    """Passes of the network a sample."""
    samples: int
    """Of an image, which are averaged."""

    @property
    def name(self) -> str:
        """In tables."""
        samples = counted(self.samples, "sample")
        if self.sampler is None:
            return samples
        return f"{self.sampler}, {counted(self.steps, 'pass', 'passes')}, {samples}"

    @property
    def slug(self) -> str:
        """Of files."""
        return f"{self.sampler or 'dropout'}-{self.steps}x{self.samples}"

    @property
    def choice(self) -> SamplerChoice:
        """How the network is told."""
        return SamplerChoice(self.sampler, self.steps) if self.sampler else AS_THE_CARD_SAYS


@dataclass(frozen=True, slots=True)
class Place:
    """All that a process needs to open the study."""

    out: Path
    stores: Stores
    budget: Budget
    rate: float
    device: str = "cpu"
    test_pairs: int = 40

    def open(self) -> "Study":
        """Opens the pairs.

        Raises:
            UsageError: they cannot be used.
        """
        return Study.open(self)


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """The pairs, the budget of each training, and the folder that keeps results."""

    kept: KeptRuns
    place: Place
    train: Mapping[str, StorePairs]
    """Name of a degrader → pairs, with targets as networks give them."""
    test: StorePairs
    """All in the group `test`."""
    tested: tuple[int, ...]
    """Its pairs that are measured."""

    @classmethod
    def open(cls, place: Place) -> Self:
        """See `Place.open`."""
        size = place.budget.size
        train = {name: _open(path, size) for name, path in place.stores.train.items()}
        for name, source in train.items():
            for split in ("train", "val"):
                if not indices_in(source, split):
                    raise UsageError(f"the pairs of {name} have none to {split}: simulate more")
        test = _open(place.stores.test, size)
        rows = tuple(replace(row, split="test") for row in test.rows)
        known = {row.patient_id for source in train.values() for row in source.rows}
        both = sorted(known & {row.patient_id for row in rows})
        if both:
            raise UsageError(f"{both[0]!r} is trained on and tested: expected other volumes")
        places = np.linspace(0, len(rows) - 1, min(place.test_pairs, len(rows)))
        tested = tuple(dict.fromkeys(int(i) for i in places.round()))
        return cls(KeptRuns.open(place.out), place, train, replace(test, rows=rows), tested)

    def measured(self, fit: Fit, setting: Setting, *, make: bool = True) -> Measured | None:
        """A network's figures on the test images; trained and measured where they are not there.

        Without `make`, None where they are not.

        Raises:
            NotYetError: another process is at it.
            ConflictError: what is kept is of other pairs or another recipe.
        """
        prepared = self._prepared(fit)
        run = self.kept.read(self._name(fit), identity_of(prepared))
        if run is None and not make:
            return None
        run = run or trained_once(self.kept, self._name(fit), prepared)
        name = f"{self._name(fit)}-{setting.slug}"
        identity = f"{run['identity']}-{self._test_identity()}"
        held = self.kept.read(name, identity)
        if held is None and make:
            with self.kept.claimed(name) as ours:
                if not ours:
                    raise NotYetError
                found = self._measure(self.generator(fit, setting), self._maps(name))
                seconds = {"train_seconds": run["seconds"], "identity": identity}
                self.kept.write(name, found | seconds)
            held = self.kept.read(name, identity)
        return None if held is None else _decoded(held)

    def as_they_are(self, kind: str) -> Measured:
        """The figures of one of `AS_THEY_ARE`."""
        name, identity = kind.replace(" ", "-"), self._test_identity()
        held = self.kept.read(name, identity)
        if held is None:
            found = self._measure(AS_THEY_ARE[kind], self._maps(name))
            self.kept.write(name, found | {"identity": identity})
            held = self.kept.read(name, identity)
        assert held is not None
        return _decoded(held)

    def maps(self, fit: Fit, setting: Setting) -> NDArray[np.float32] | None:
        """Means and sigmas of the tested images, (2, n, H, W); None where they are not there."""
        if self.measured(fit, setting, make=False) is None:
            return None
        found: NDArray[np.float32] = np.load(self._maps(f"{self._name(fit)}-{setting.slug}"))
        return found

    def maps_as_they_are(self, kind: str) -> NDArray[np.float32]:
        """The same of one of `AS_THEY_ARE`."""
        self.as_they_are(kind)
        found: NDArray[np.float32] = np.load(self._maps(kind.replace(" ", "-")))
        return found

    def generator(self, fit: Fit, setting: Setting) -> MapGenerator:
        """A network that is trained, with its way to draw samples."""
        return load_map_generator(
            read_checkpoint(self.checkpoint(fit)),
            self._device,
            self._precision,
            mc_samples=setting.samples,
            choice=setting.choice,
        )

    def checkpoint(self, fit: Fit) -> Path:
        """The folder of a network that is trained."""
        return self.kept.folder(self._name(fit)) / "best"

    def recipe(self, fit: Fit) -> Recipe:
        """The same for all degraders."""
        # All start from the input, where the comparison of methods has a residual for all or none.
        method, budget = NETWORKS[fit.network], replace(self.place.budget, residual=_RESIDUAL)
        found = recipe_of(method, TASK, budget, self.place.rate, fit.seed)
        # Other grey values of the input alone would have networks learn to undo them.
        own = read_recipe(recipe_path(method.recipe)).augmentation
        return replace(found, augmentation=own)

    def _name(self, fit: Fit) -> str:
        budget = self.place.budget
        return f"{fit.slug}-{budget.size}-{budget.steps}"

    def _prepared(self, fit: Fit) -> PreparedTraining:
        recipe, source = self.recipe(fit), self.train[fit.degrader]
        check_sizes(recipe)
        indices: dict[str, tuple[int, ...]] = {s: indices_in(source, s) for s in SPLITS}
        return PreparedTraining(recipe, source, indices, self._device, self._precision)

    def _measure(self, generator: MapGenerator | Unrestored, path: Path) -> dict[str, Any]:
        """Figures; means and sigmas go into a file of `path`."""
        known: Any = generator
        images, nodules, maps = measure_images(known, self.test, task_named(TASK), self.tested)
        make_folder(path.parent)
        np.save(path, maps)
        timed = self.tested[:_TIMED_PAIRS]
        seconds = generating_seconds(known, self.test, timed, self._device)
        return {"images": images, "nodules": nodules, "image_seconds": seconds}

    def _maps(self, name: str) -> Path:
        return self.kept.out / "maps" / f"{name}.npy"

    def _test_identity(self) -> str:
        return f"{self.test.fingerprint()}-{len(self.tested)}"

    @property
    def _device(self) -> torch.device:
        return torch.device(self.place.device)

    @property
    def _precision(self) -> str:
        return resolve_precision("auto" if self._device.type == "cuda" else "fp32", self._device)


def _open(path: Path, size: int) -> StorePairs:
    task = task_named(TASK)
    source = open_pairs(path, None, size, task.window, task.input.convention, task)
    if not isinstance(source, StorePairs):
        raise UsageError(f"{path} is no store of pairs; expected one of dfsynth simulate")
    return source


def _decoded(held: Mapping[str, Any]) -> Measured:
    rows: Sequence[Mapping[str, Any]] = held["images"]
    return Measured(rows, held["nodules"], held["image_seconds"], held.get("train_seconds", 0.0))
