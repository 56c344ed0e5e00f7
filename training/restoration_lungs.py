"""Train on synthetic pictures, test on real ones: the lung network, restored against unrestored.

    python training/restoration_lungs.py --pairs PAIRS --checkpoint runs/.../best --data DATA
        --out runs/lungs
    python training/restoration_lungs.py ... --minutes 0   # report alone

PAIRS is a store of `dfsynth simulate --task restoration` from CT volumes or drawn bodies; DATA as
in listed_radiographs.py. The same network is trained on blurred, restored and sharp pictures of
these pairs, and on real radiographs with drawn masks whose licence is free. All are tested on the
other radiographs with drawn masks, of patients that none was trained on, and those of licences that
are not free. Nothing chooses anything by them. Writes report.md and sheets of the worst into OUT.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from drawn_lungs import read_recipe
from kept_runs import KeptRuns
from listed_radiographs import Listed, is_free_to_use, list_radiographs, share_of
from numpy.typing import NDArray
from paper_scores import Scores, difference, mean
from restored_pictures import Pictures, Restorer
from shared_work import publish, share_work

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from radiographs import LabelledImage, read_grey, to_square
from simulate_usefulness import (
    GRID,
    WITH_HEART,
    appearance,
    score,
    show_worst,
    to_sample,
    train,
)

from dfsynth.datasets import PairImages
from dfsynth.description.markdown import table
from dfsynth.errors import UsageError
from dfsynth.lung_segmentation.samples import LungSample, lung_field_sample
from dfsynth.statistics import Interval

REAL: Final = "real"
KINDS: Final = ("blurred", "restored", "sharp", REAL)
"""What networks are trained on."""
_RECIPE: Final = "lung-reader"
"""Whose list of free licences and whose test patients count."""
FIELDS: Final = "lung fields"
"""All tested radiographs whose masks leave the heart out."""


@dataclass(frozen=True, slots=True)
class Place:
    """All that a process needs to open the study."""

    out: Path
    restorer: Restorer
    data: Path
    steps: int

    def open(self) -> "Study":
        """Reads everything."""
        return Study.open(self)


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """What is trained on and tested, and the folder that keeps results."""

    place: Place
    kept: KeptRuns
    pictures: Pictures
    trained: Sequence[LabelledImage]
    """Real radiographs."""
    tested: Sequence[LabelledImage]

    @classmethod
    def open(cls, place: Place) -> Self:
        """See `Place.open`.

        Raises:
            UsageError: no synthetic pictures with lungs, or no real ones.
        """
        pictures = place.restorer.pictures(place.out)
        # Lungs of real radiographs are what a network saw there, and no truth.
        known = [
            i
            for i, (row, pair) in enumerate(zip(pictures.rows, pictures.pairs, strict=True))
            if row.origin != "cxr" and pair.lung is not None and pair.lung.any()
        ]
        trained, tested = deal_radiographs(list_radiographs(place.data))
        if not known or not trained or not tested:
            raise UsageError(
                f"{len(known)} synthetic pictures with lungs, {len(trained)} real radiographs to "
                f"train on and {len(tested)} to test: expected some of each"
            )
        return cls(place, KeptRuns.open(place.out), pictures.take(known), trained, tested)

    def samples(self, kind: str) -> list[LungSample]:
        """What a network is trained on."""
        if kind == REAL:
            return [_real_sample(entry) for entry in self.trained]
        images = self.pictures.of(kind)
        return [
            to_sample(LabelledImage(row.key, row.patient_id, "ct", image, _labels(pair)))
            for row, image, pair in zip(
                self.pictures.rows, images, self.pictures.pairs, strict=True
            )
        ]

    def held(self, kind: str, seed: int) -> Mapping[str, Any] | None:
        """What a training came to; None where it is not there."""
        return self.kept.read(self._name(kind, seed), self._identity())

    def finish(self, kind: str, seed: int) -> bool:
        """Trains and tests a network, if that is not done; False: another process does."""
        make = partial(self._train, kind, seed)
        return self.kept.make_once(self._name(kind, seed), self._identity(), make)

    def _train(self, kind: str, seed: int) -> Mapping[str, Any]:
        started = time.process_time()
        network = train([self.samples(kind)], self.place.steps, seed)
        seconds = time.process_time() - started
        _, rows = score(network, self.tested, seed)
        if seed == 0:
            show_worst(self.place.out / "worst", kind, rows)
        lines = [
            {"patient_id": entry.patient_id, "source": entry.source, "dice": float(value)}
            for value, entry, _ in rows
        ]
        print(f"{kind}, seed {seed}: {seconds:.0f} s of a core", flush=True)
        return {"seconds": seconds, "radiographs": lines}

    def dice(self, kind: str, seeds: int, group: str) -> Scores:
        """Patient → Dice, mean over radiographs and seeds; empty where nothing is there."""
        found: dict[str, list[float]] = {}
        for seed in range(seeds):
            held = self.held(kind, seed)
            for row in [] if held is None else held["radiographs"]:
                if _in_group(row["source"], group):
                    found.setdefault(row["patient_id"], []).append(row["dice"])
        return {patient: float(np.mean(values)) for patient, values in found.items()}

    def _name(self, kind: str, seed: int) -> str:
        return f"{kind}-s{seed}-{self.place.steps}"

    def _identity(self) -> str:
        real = f"{len(self.trained)} {len(self.tested)}"
        return f"{self.pictures.identity} {len(self.pictures.rows)} {real}"


def deal_radiographs(listed: Sequence[Listed]) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """Radiographs with drawn masks: those to train on, and all others, which are tested.

    What is not free is tested alone; masks that go on behind the heart are not trained on.
    """
    recipe = read_recipe(_RECIPE)
    trained: list[LabelledImage] = []
    tested: list[LabelledImage] = []
    for entry in listed:
        if entry.mask is None:
            continue
        source = entry.path.stem.partition("_")[0]
        may = is_free_to_use(entry.license, recipe) and source not in WITH_HEART
        group = trained if may and share_of(entry.patient_id, recipe) == "train" else tested
        mask = (read_grey(entry.mask) > 127).astype(np.uint8)
        pixels = read_grey(entry.path).astype(np.float32)
        group.append(LabelledImage(entry.path.stem, entry.patient_id, source, pixels, mask))
    return trained, tested


def report(study: Study, seeds: int) -> list[str]:
    """Dice by archive, and the gap to training on real radiographs in points."""
    groups = [FIELDS, *sorted({entry.source for entry in study.tested})]
    found = {kind: {g: study.dice(kind, seeds, g) for g in groups} for kind in KINDS}
    found = {kind: scores for kind, scores in found.items() if scores[FIELDS]}
    rows = []
    for kind, scores in found.items():
        cells = [f"{mean(scores[g]):.3f}" if scores[g] else "–" for g in groups]
        gaps = ["" if o == kind else _points(scores[FIELDS], found, o) for o in (REAL, "blurred")]
        rows.append((kind, *cells, *gaps))
    heads = (*groups, f"less {REAL}, points", "less blurred, points")
    patients = {row.patient_id for row in study.pictures.rows}
    return [
        f"Dice with drawn masks of {len(study.tested)} real radiographs that nothing was trained "
        f"on; {len(study.pictures.rows)} synthetic pictures of {len(patients)} volumes or bodies, "
        f"restored by {study.pictures.restored_by}; {len(study.trained)} real radiographs trained "
        f"on; {study.place.steps} updates, {seeds} trainings each. Intervals are over patients.",
        "",
        table(("trained on", *heads), rows),
    ]


def finish(study: Study, job: tuple[str, int]) -> bool:
    """See `Study.finish`."""
    return study.finish(*job)


def main() -> None:
    given = _parse()
    place = Place(given.out, Restorer.of(given), given.data, given.steps)
    jobs = [(kind, seed) for seed in range(given.seeds) for kind in KINDS]
    if given.minutes:
        # Restored once, before processes share the rest.
        place.open()
    share_work(place.open, jobs, finish, given.workers, given.minutes)
    lines = report(place.open(), given.seeds)
    publish(lines, given.out)


def _points(ours: Scores, found: Mapping[str, Mapping[str, Scores]], other: str) -> str:
    """The difference in points of Dice, paired by patient."""
    less = difference(ours, found[other][FIELDS]) if other in found else None
    if less is None:
        return ""
    ends = (less.interval.value, less.interval.low, less.interval.high)
    return f"{Interval(*(None if e is None else 100 * e for e in ends)):+.1f}"


def _in_group(source: str, group: str) -> bool:
    return source == group or (group == FIELDS and source not in WITH_HEART)


def _real_sample(entry: LabelledImage) -> LungSample:
    assert entry.labels is not None
    return lung_field_sample(appearance(entry, GRID), to_square(entry.labels > 0, GRID) > 0.5)


def _labels(pair: PairImages) -> NDArray[np.uint8]:
    """1 in the lung field, 2 where lung is hidden."""
    hidden = 2 * (pair.lung_weight == 0) if pair.lung_weight is not None else 0
    return np.where(pair.lung == 1, 1, hidden).astype(np.uint8)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    Restorer.add_options(parser)
    parser.add_argument("--data", type=Path, required=True, help="folder of cxr/ and cxr-masks/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=800, help="updates a training")
    parser.add_argument("--seeds", type=int, default=2, help="trainings of each")
    parser.add_argument("--workers", type=int, default=2, help="trainings at once, a core each")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="0: report alone")
    parser.add_argument("--gpu", action="store_true", help="restores on cuda; the rest is small")
    return parser.parse_args()


if __name__ == "__main__":
    main()
