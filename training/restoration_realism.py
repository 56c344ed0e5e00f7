"""Can a classifier tell restored pictures from radiographs of one archive? Before and after.

    python training/restoration_realism.py --pairs PAIRS --checkpoint runs/.../best
        --real DATA/cxr --real DATA/cxr-masks --out runs/realism
    python training/restoration_realism.py ... --minutes 0   # report alone

PAIRS is a store of `dfsynth simulate --task restoration` from CT volumes or drawn bodies. For each
archive a classifier of `benchmarks/simulate_realism.py` learns to tell its radiographs from
blurred, restored and sharp pictures, which are shown in the archive's way: a power of the grey
values, the same for all, gives them its mean. The yardstick is that archive against another
real one, shown in its way too; the control is half of its patients against the other half, shown in
the way of the first. Real radiographs are taken to the pictures' resolution first. An AUROC of 0.5
is one that tells nothing; patients are new to the classifier. Writes report.md and sheets into OUT.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from kept_runs import KeptRuns
from numpy.typing import NDArray
from restored_pictures import Pictures, Restorer
from scipy.optimize import brentq
from shared_work import add_sharing, publish, share_work

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from radiographs import (
    ImageSet,
    LabelledImage,
    choose,
    collect,
    read_radiographs,
    to_square,
)
from simulate_realism import compare_patients, deal_patients, show_extremes

from dfsynth.description.markdown import table
from dfsynth.errors import UsageError
from dfsynth.preprocess import to_unit_range
from dfsynth.records import IntensityWindow
from dfsynth.statistics import Interval

KINDS: Final = ("blurred", "restored", "sharp")
_SIDE: Final = 256
"""Of what the classifier sees."""
_WHITE: Final = 255
_POWERS: Final = (0.05, 20.0)
ITSELF: Final = "itself"
"""Of an archive, the other half of its patients."""
_FEWEST: Final = 20
"""Radiographs that an archive needs."""


@dataclass(frozen=True, slots=True)
class Place:
    """All that a process needs to open the study."""

    out: Path
    restorer: Restorer
    real: tuple[Path, ...]
    images: int
    folds: int
    steps: int

    def open(self) -> "Study":
        """Reads everything."""
        return Study.open(self)


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Real radiographs by archive, pictures, and the folder that keeps results."""

    place: Place
    kept: KeptRuns
    archives: Mapping[str, "Shown"]
    pictures: Pictures

    @classmethod
    def open(cls, place: Place) -> Self:
        """See `Place.open`.

        Raises:
            UsageError: no archive with enough radiographs, or no synthetic pictures.
        """
        pictures = place.restorer.pictures(place.out)
        known = [i for i, row in enumerate(pictures.rows) if row.origin != "cxr"]
        side = pictures.restored.shape[-1]
        real: dict[str, list[LabelledImage]] = {}
        for entry in (e for folder in place.real for e in read_radiographs(folder)):
            coarse = replace(entry, pixels=to_square(entry.pixels, side), labels=None)
            real.setdefault(entry.source, []).append(coarse)
        rng = np.random.default_rng(0)
        archives = {
            name: Shown.choose(entries, place.images, rng)
            for name, entries in sorted(real.items())
            if len(entries) >= _FEWEST
        }
        if not archives or not known:
            raise UsageError(
                f"{len(archives)} archives of {_FEWEST} radiographs or more and {len(known)} "
                "synthetic pictures: expected one of each or more"
            )
        return cls(place, KeptRuns.open(place.out), archives, pictures.take(known))

    @property
    def jobs(self) -> list[tuple[str, str]]:
        """(archive, kind of pictures or other archive): all that are told apart."""
        return [
            (archive, other)
            for archive in self.archives
            for other in (*KINDS, ITSELF, *self.archives)
            if other != archive
        ]

    def held(self, archive: str, other: str) -> Interval | None:
        """The AUROC; None where it is not there."""
        found = self.kept.read(self._name(archive, other), self._identity())
        return None if found is None else Interval(**found["auroc"])

    def finish(self, archive: str, other: str) -> bool:
        """Trains the classifiers, if that is not done; False: another process does."""
        make = partial(self._tell_apart, archive, other)
        return self.kept.make_once(self._name(archive, other), self._identity(), make)

    def _tell_apart(self, archive: str, other: str) -> Mapping[str, Any]:
        started, place = time.process_time(), self.place
        real, others = self._told_apart(archive, other)
        shown = others.like(real)
        auroc, answers = compare_patients(real, shown, place.folds, place.steps, seed=0)
        show_extremes(place.out / "sheets", f"{other} as {archive}", real, shown, answers)
        seconds = time.process_time() - started
        print(f"{other} as {archive}: {auroc}, {seconds:.0f} s of a core", flush=True)
        return {"auroc": asdict(auroc), "seconds": seconds}

    def _told_apart(self, archive: str, other: str) -> tuple[ImageSet, "Shown"]:
        real = self.archives[archive]
        if other == ITSELF:
            half = deal_patients(real.images.patients, 2, np.random.default_rng(0))
            first, second = (real.take(np.flatnonzero(half == which)) for which in range(2))
            return first.images, second
        if other in self.archives:
            return real.images, self.archives[other]
        entries = [
            LabelledImage(row.key, row.patient_id, other, image)
            for row, image in zip(self.pictures.rows, self.pictures.of(other), strict=True)
        ]
        return real.images, Shown.choose(entries, self.place.images, np.random.default_rng(0))

    def _name(self, archive: str, other: str) -> str:
        return f"{other}-as-{archive}-{self.place.folds}x{self.place.steps}"

    def _identity(self) -> str:
        counts = {name: len(shown.images) for name, shown in self.archives.items()}
        return f"powers {self.pictures.identity} {len(self.pictures.rows)} {counts}"


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A collection as a classifier sees it, and its values before they were rounded to 8 bits."""

    images: ImageSet
    grey: NDArray[np.float32]
    """(image, y, x) in [0, 1]."""

    @classmethod
    def choose(cls, entries: Sequence[LabelledImage], most: int, rng: np.random.Generator) -> Self:
        """At most so many of the images."""
        chosen = choose(collect(entries, _SIDE), most, rng)
        by_name = {entry.name: entry.pixels for entry in entries}
        squares = (to_square(by_name[name], _SIDE) for name in chosen.names)
        return cls(chosen, np.stack([to_unit_range(s, IntensityWindow()) for s in squares]))

    def take(self, rows: NDArray[np.intp]) -> Self:
        """Some of them."""
        return replace(self, images=self.images.take(rows), grey=self.grey[rows])

    def like(self, archive: ImageSet) -> ImageSet:
        """The images as bright as the archive's over all of them, by one power of grey values.

        Black stays black and white stays white. A curve that gives them the archive's histogram
        does not leave them so, nor does one of 256 steps leave every grey value: either marks all
        images of a collection, and half of an archive is told from the other half.
        """
        wanted = float(archive.images.mean()) / _WHITE

        def excess(power: float) -> float:
            return float((self.grey**power).mean()) - wanted

        power = brentq(excess, *_POWERS, rtol=1e-3)
        grey = np.round(_WHITE * self.grey**power).astype(np.uint8)
        return replace(self.images, images=grey)


def report(study: Study) -> list[str]:
    """AUROC of each archive against pictures of each kind, and against other archives."""
    columns = [*KINDS, ITSELF, *study.archives]
    rows = []
    for archive in study.archives:
        found = [study.held(archive, other) if other != archive else None for other in columns]
        rows.append((archive, *("–" if each is None else f"{each:.3f}" for each in found)))
    counts = ", ".join(f"{name} {len(found.images)}" for name, found in study.archives.items())
    patients = {row.patient_id for row in study.pictures.rows}
    size = study.pictures.restored.shape[-1]
    return [
        f"AUROC of telling pictures from radiographs of an archive, shown in its way, at {size} x "
        f"{size}: 0.5 is chance. Radiographs: {counts}; {len(study.pictures.rows)} synthetic "
        f"pictures of {len(patients)} volumes or bodies, restored by "
        f"{study.pictures.restored_by}. Intervals are over patients.",
        "",
        table(("archive", *KINDS, ITSELF, *(f"real: {name}" for name in study.archives)), rows),
    ]


def finish(study: Study, job: tuple[str, str]) -> bool:
    """See `Study.finish`."""
    return study.finish(*job)


def main() -> None:
    given = _parse()
    how = (given.images, given.folds, given.steps)
    place = Place(given.out, Restorer.of(given), tuple(given.real), *how)
    # Restored once, before processes share the rest.
    jobs: Sequence[tuple[str, str]] = place.open().jobs if given.minutes else []
    share_work(place.open, jobs, finish, given.workers, given.minutes)
    lines = report(place.open())
    publish(lines, given.out)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    Restorer.add_options(parser)
    parser.add_argument("--real", type=Path, action="append", required=True, metavar="FOLDER")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--images", type=int, default=120, help="most of each kind")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=200, help="updates of a classifier")
    add_sharing(parser, "classifiers")
    parser.add_argument("--gpu", action="store_true", help="restores on cuda; the rest is small")
    return parser.parse_args()


if __name__ == "__main__":
    main()
