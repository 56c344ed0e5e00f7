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
from kept_runs import KeptRuns
from listed_radiographs import Listed, list_radiographs
from numpy.typing import NDArray
from restored_pictures import Pictures, Restorer
from shared_work import add_sharing, publish, share_work
from tested_radiographs import REAL, archive_of, deal_listed, tabulate

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from radiographs import LabelledImage, read_grey, to_square
from simulate_usefulness import (
    GRID,
    appearance,
    score,
    show_worst,
    to_sample,
    train,
)

from dfsynth.datasets import PairImages
from dfsynth.errors import UsageError
from dfsynth.lung_segmentation.samples import LungSample, lung_field_sample

KINDS: Final = ("blurred", "restored", "sharp", REAL)
"""What networks are trained on."""


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

    def rows(self, kind: str, seeds: int) -> list[Mapping[str, Any]]:
        """Every radiograph of every training that is done."""
        held = {seed: self.held(kind, seed) for seed in range(seeds)}
        return [
            {**row, "training": seed}
            for seed, result in held.items()
            if result is not None
            for row in result["radiographs"]
        ]

    def _name(self, kind: str, seed: int) -> str:
        return f"{kind}-s{seed}-{self.place.steps}"

    def _identity(self) -> str:
        real = f"{len(self.trained)} {len(self.tested)}"
        return f"{self.pictures.identity} {len(self.pictures.rows)} {real}"


def deal_radiographs(listed: Sequence[Listed]) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """See `deal_listed`; read."""
    trained, tested = deal_listed(listed)
    return [_read(entry) for entry in trained], [_read(entry) for entry in tested]


def report(study: Study, seeds: int) -> list[str]:
    """Dice by archive, and the gap to training on real radiographs in points."""
    patients = {row.patient_id for row in study.pictures.rows}
    return [
        f"Dice with drawn masks of {len(study.tested)} real radiographs that nothing was trained "
        f"on; {len(study.pictures.rows)} synthetic pictures of {len(patients)} volumes or bodies, "
        f"restored by {study.pictures.restored_by}; {len(study.trained)} real radiographs trained "
        f"on; {study.place.steps} updates, {seeds} trainings each. Intervals are over patients.",
        "",
        tabulate({kind: study.rows(kind, seeds) for kind in KINDS}, (REAL, "blurred"), "dice"),
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


def _read(entry: Listed) -> LabelledImage:
    assert entry.mask is not None
    mask = (read_grey(entry.mask) > 127).astype(np.uint8)
    pixels = read_grey(entry.path).astype(np.float32)
    return LabelledImage(entry.path.stem, entry.patient_id, archive_of(entry), pixels, mask)


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
    add_sharing(parser)
    parser.add_argument("--gpu", action="store_true", help="restores on cuda; the rest is small")
    return parser.parse_args()


if __name__ == "__main__":
    main()
