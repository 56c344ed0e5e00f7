"""Train on synthetic pairs, test on real radiographs: the dark-field generator, restored or not.

    dfsynth simulate --origin ct --ct VOLUMES --out pairs.zarr --n 144 --size 64
    python training/restoration_generators.py --pairs pairs.zarr --checkpoint runs/.../best
        --data DATA --out runs/generators
    python training/restoration_generators.py ... --minutes 0   # report alone

CHECKPOINT restores radiographs as `dfsynth simulate --display restored` does, of bodies and poses
that stay the same; DATA as in listed_radiographs.py. The same small cascade is trained on these
pairs with the radiographs as they are and restored, and on as many pairs of `--origin cxr`, whose
radiographs are real: those with drawn masks whose licence is free. All are tested on the
radiographs with drawn masks of other people, as restoration_lungs.py has them. Of those nobody
knows the dark field, but where the lung is: what counts is the Dice of the generator's lung output
with and without the pixels where lung may hide, for which it is trained to nothing, and beside it
how well the dark-field value tells lung without them (pixel AUROC). Where lung may hide is what the
lung network says that marks the pairs of real radiographs: by the outline's shape alone it would be
less, and lung output where no training asked for any would count against it. Nothing
chooses anything by them: the last average of the weights is tested. Writes report.md and sheets of
the pairs and of the worst into OUT.
"""

import argparse
import csv
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import torch
from drawn_lungs import DrawnLung, score_drawn_lung
from kept_runs import KeptRuns, identity_of
from kept_training import trained_once
from listed_radiographs import Listed, list_radiographs, load_grey
from numpy.typing import NDArray
from paper_methods import CASCADE, Budget, recipe_of
from shared_work import add_sharing, publish, share_work
from tested_radiographs import REAL, archive_of, deal_listed, tabulate

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from contact import write_sheet

import dfsynth
from dfsynth.checkpoint import read_checkpoint
from dfsynth.datasets import PairImages, PairInfo, PairSource, open_pairs
from dfsynth.datasets.store_pairs import StorePairs
from dfsynth.errors import UsageError
from dfsynth.files.durable import make_folder
from dfsynth.inference import CheckpointRestorer, load_map_generator, load_restorer
from dfsynth.lung_segmentation import load_lung_network, locate_lungs, packaged_lung_network
from dfsynth.preprocess import to_unit_range
from dfsynth.report import SheetColumn, SheetRow
from dfsynth.simulation.origins.restored import display_stream, restore_display
from dfsynth.tasks import DEFAULT_TASK, task_named
from dfsynth.train import Recipe, read_recipe, recipe_path
from dfsynth.train.preparation import PreparedTraining

UNRESTORED: Final = "unrestored"
RESTORED: Final = "restored"
KINDS: Final = (UNRESTORED, RESTORED, REAL)
"""What generators are trained on."""
_RATE: Final = 1e-3
"""As the recipe `compact-256` has it."""
_EVERY: Final = 12
"""Pairs between two on which the loss is measured, once, at the end."""
_SAMPLES: Final = 8
"""Of an image, with dropout, averaged."""
_SHOWN: Final = 16
_SEED: Final = 0
_CPU: Final = torch.device("cpu")


@dataclass(frozen=True, slots=True, eq=False)
class RestoredPairs:
    """Pairs of a store as `--display restored` shows their radiographs; implements `PairSource`."""

    store: StorePairs
    images: NDArray[np.float32]
    """(n, H, W), restored, in the grid."""
    restored_by: str
    """A hash of the checkpoint."""

    @classmethod
    def make(cls, store: StorePairs, restorer: CheckpointRestorer, kept: Path) -> Self:
        """Restores all radiographs, once: they are kept in the folder `kept`."""
        name = f"{store.fingerprint()[:12]}-{restorer.fingerprint()[:12]}.npy"
        path = kept / name
        if not path.exists():
            images = [
                restore_display(store.array("attenuation", i), restorer, display_stream(s.as_py()))
                for i, s in enumerate(store.manifest["seed"])
            ]
            part = path.with_suffix(".part.npy")
            np.save(part, np.stack(images))
            part.rename(path)
        return cls(store, np.load(path), restorer.fingerprint())

    @property
    def rows(self) -> tuple[PairInfo, ...]:
        """See `PairSource`."""
        return self.store.rows

    @property
    def description(self) -> str:
        """See `PairSource`."""
        return f"{self.store.description}, restored"

    @property
    def warnings(self) -> tuple[str, ...]:
        """See `PairSource`."""
        return self.store.warnings

    @property
    def knows_lungs(self) -> bool:
        """See `PairSource`."""
        return self.store.knows_lungs

    def fingerprint(self) -> str:
        """See `PairSource`."""
        return f"{self.store.fingerprint()} {self.restored_by}"

    def read(self, index: int) -> PairImages:
        """See `PairSource`."""
        shown = to_unit_range(self.images[index], self.store.intensity)
        return replace(self.store.read(index), image=shown)


@dataclass(frozen=True, slots=True)
class Place:
    """All that a process needs to open the study."""

    out: Path
    pairs: Path
    checkpoint: str
    data: Path
    steps: int

    def open(self) -> "Study":
        """Opens what there is, and makes what is not there yet: real pairs, restored radiographs.

        Raises:
            UsageError: pairs, a checkpoint or radiographs that cannot be used.
        """
        restorer = load_restorer(self.checkpoint, _CPU)
        size = restorer.grid[0]
        store = _open(self.pairs, size)
        if any(row.origin == "cxr" for row in store.rows):
            raise UsageError(
                f"{self.pairs}: pairs of real radiographs are not restored; expected "
                "those of --origin ct or phantom"
            )
        if store.geometry.source_height != size:
            raise UsageError(
                f"{self.pairs} has images of {store.geometry.source_height} pixels; expected "
                f"{size}, for which {self.checkpoint} was trained"
            )
        trained, tested = deal_listed(list_radiographs(self.data))
        if not trained or not tested:
            raise UsageError(
                f"{len(trained)} real radiographs to train on and {len(tested)} to test: expected "
                "some of each"
            )
        folder = self.out / "pairs"
        make_folder(folder)
        real = _real_pairs(folder, trained, len(store.rows), size)
        sources: dict[str, PairSource] = {
            UNRESTORED: store,
            RESTORED: RestoredPairs.make(store, restorer, folder),
            REAL: _open(real, size),
        }
        return Study(self, KeptRuns.open(self.out), size, sources, trained, tested)


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """What is trained on and tested, and the folder that keeps results."""

    place: Place
    kept: KeptRuns
    size: int
    sources: Mapping[str, PairSource]
    trained: Sequence[Listed]
    """Real radiographs."""
    tested: Sequence[Listed]

    def finish(self, kind: str, seed: int) -> bool:
        """Trains and tests a generator, if that is not done; False: another process does."""
        prepared = self._prepared(kind, seed)
        make = partial(self._train, kind, seed, prepared)
        return self.kept.make_once(self._name(kind, seed), self._identity(prepared), make)

    def rows(self, kind: str, seeds: int) -> list[Mapping[str, Any]]:
        """Every radiograph of every training that is done."""
        found: list[Mapping[str, Any]] = []
        for seed in range(seeds):
            identity = self._identity(self._prepared(kind, seed))
            held = self.kept.read(self._name(kind, seed), identity)
            rows = [] if held is None else held["radiographs"]
            found += [{**row, "training": seed} for row in rows]
        return found

    def _train(self, kind: str, seed: int, prepared: PreparedTraining) -> Mapping[str, Any]:
        run = f"{kind}-s{seed}-{self.place.steps}"
        seconds = trained_once(self.kept, run, prepared)["seconds"]
        files = read_checkpoint(self.kept.folder(run) / "best")
        generator = load_map_generator(files, _CPU, "fp32", mc_samples=_SAMPLES)
        found = [
            score_drawn_lung(generator, entry, self.size, hidden)
            for entry, hidden in zip(self.tested, hidden_lungs(self.tested, self.size), strict=True)
        ]
        if seed == 0:
            _show_worst(self.place.out / "worst", kind, self.tested, found)
        print(f"{kind}, seed {seed}: {seconds:.0f} s of a core", flush=True)
        rows = [
            {
                "patient_id": entry.patient_id,
                "source": archive_of(entry),
                "dice": lung.overlap,
                "dice_of_shown": lung.overlap_of_shown,
                "auroc": lung.auroc_of_shown,
            }
            for entry, lung in zip(self.tested, found, strict=True)
        ]
        return {"seconds": seconds, "radiographs": rows}

    def _prepared(self, kind: str, seed: int) -> PreparedTraining:
        source = self.sources[kind]
        rows = tuple(range(len(source.rows)))
        indices = {"train": rows, "val": rows[::_EVERY], "calibration": (), "test": ()}
        return PreparedTraining(
            _recipe(self.size, self.place.steps, seed), source, indices, _CPU, "fp32"
        )

    def _name(self, kind: str, seed: int) -> str:
        return f"{kind}-s{seed}-{self.place.steps}-test"

    def _identity(self, prepared: PreparedTraining) -> str:
        return f"{identity_of(prepared)} {len(self.tested)} hidden by the lung network"


def hidden_lungs(tested: Sequence[Listed], size: int) -> list[NDArray[np.bool_]]:
    """Where lung may hide in each radiograph (size, size), as `--origin cxr` marks it.

    Raises:
        NotAChestRadiograph: one of them shows no two lungs.
    """
    network, _ = load_lung_network(packaged_lung_network())
    found = []
    for entry in tested:
        image, content = load_grey(entry.path, size)
        lungs = locate_lungs(image, network(image), content)
        found.append(lungs.any_lung & ~lungs.field)
    return found


def report(study: Study, seeds: int) -> list[str]:
    """Dice and AUROC by archive, and the gap to training on real radiographs in points."""
    results = {kind: study.rows(kind, seeds) for kind in KINDS}
    synthetic = study.sources[UNRESTORED].rows
    lines = [
        f"On {len(study.tested)} real radiographs with drawn masks that nothing was trained on; "
        f"{len(synthetic)} synthetic pairs of {len({row.patient_id for row in synthetic})} volumes "
        f"or bodies, restored by {study.place.checkpoint}; {len(study.sources[REAL].rows)} pairs "
        f"of {len(study.trained)} real radiographs; {study.size}², {study.place.steps} updates, "
        f"{seeds} trainings each. Intervals are over patients."
    ]
    for measure, words in (
        ("dice", "Dice of the lung output with drawn masks:"),
        ("dice_of_shown", "The same without pixels where heart or domes may hide lung:"),
        ("auroc", "Pixel AUROC of the dark-field value for the drawn lung:"),
    ):
        lines += ["", words, "", tabulate(results, (REAL, UNRESTORED), measure)]
    return lines


def finish(study: Study, job: tuple[str, int]) -> bool:
    """See `Study.finish`."""
    return study.finish(*job)


def main() -> None:
    given = _parse()
    place = Place(given.out, given.pairs, given.checkpoint, given.data, given.steps)
    # Pairs are made and restored once, before processes share the rest.
    study = place.open()
    for kind, source in study.sources.items():
        _show_pairs(given.out / "pairs", kind, source)
    jobs = [(kind, seed) for seed in range(given.seeds) for kind in KINDS]
    share_work(place.open, jobs, finish, given.workers, given.minutes)
    publish(report(study, given.seeds), given.out)


def _open(path: Path, size: int) -> StorePairs:
    task = task_named(DEFAULT_TASK)
    given = (task.window, task.input.convention, task, task.output.convention)
    source = open_pairs(path, None, size, *given)
    if not isinstance(source, StorePairs):
        raise UsageError(f"{path} is no store of pairs; expected one of dfsynth simulate")
    return source


def _real_pairs(folder: Path, trained: Sequence[Listed], count: int, size: int) -> Path:
    """The store of `count` pairs of `--origin cxr`; nothing is done where it is there."""
    table, store = folder / "real" / "labels.csv", folder / f"real-{size}.zarr"
    if not table.exists():
        # Beside their table, as it must be.
        make_folder(table.parent)
        for entry in trained:
            shutil.copyfile(entry.path, table.parent / entry.path.name)
        with table.open("w", newline="") as stream:
            lines = csv.writer(stream)
            lines.writerow(("file", "patient_id", "license"))
            lines.writerows((entry.path.name, entry.patient_id, entry.license) for entry in trained)
    dfsynth.simulate_pairs(
        store, count, origin="cxr", cxr=table, size=size, seed=_SEED, progress=None
    )
    return store


def _recipe(size: int, steps: int, seed: int) -> Recipe:
    """The default recipe with narrow stages and without discriminators, at one schedule."""
    given = recipe_of(CASCADE, DEFAULT_TASK, Budget(size, steps=steps), _RATE, seed)
    usual = read_recipe(recipe_path(CASCADE.recipe))
    return replace(
        given,
        augmentation=usual.augmentation,
        loss=replace(given.loss, adversarial=0.0),
        checkpoint_every=steps,
        # Of the last average alone: no pair chooses between several.
        validation=replace(given.validation, every_steps=steps),
    )


def _show_pairs(folder: Path, kind: str, source: PairSource) -> None:
    columns = [
        SheetColumn("radiograph", "grey value", "gray", 0.0, 1.0),
        SheetColumn("dark-field", "1", "gray", 0.0, 0.6),
        SheetColumn("lung", "1", "gray", 0.0, 1.0),
    ]
    rows = []
    for index in range(min(_SHOWN, len(source.rows))):
        pair = source.read(index)
        lung = np.zeros_like(pair.image) if pair.lung is None else pair.lung
        rows.append(SheetRow((source.rows[index].key,), (pair.image, pair.target, lung)))
    write_sheet(folder, f"pairs {kind}", rows, columns)


def _show_worst(
    folder: Path, kind: str, tested: Sequence[Listed], found: Sequence[DrawnLung]
) -> None:
    columns = [
        SheetColumn("radiograph", "grey value", "gray", 0.0, 1.0),
        SheetColumn("dark-field", "1", "gray", 0.0, 0.6),
        SheetColumn("lung less drawn", "1", "viridis", -1.0, 1.0),
    ]
    order = sorted(range(len(found)), key=lambda index: found[index].overlap)
    rows = [
        SheetRow((tested[i].path.stem, f"Dice {found[i].overlap:.2f}"), found[i].shown)
        for i in order[:_SHOWN]
    ]
    write_sheet(folder, f"worst {kind}", rows, columns)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=Path, required=True, help="a store of dfsynth simulate")
    parser.add_argument("--checkpoint", required=True, help="of restoration: folder or name")
    parser.add_argument("--data", type=Path, required=True, help="folder of cxr/ and cxr-masks/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=400, help="updates a training")
    parser.add_argument("--seeds", type=int, default=2, help="trainings of each")
    add_sharing(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
