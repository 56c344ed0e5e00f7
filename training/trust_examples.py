"""The pictures from which heads for trust learn, and those that tell how well: sets of examples.

What is fitted on, what calibrates and what is reported are of different patients, and reported
are archives and kinds of pictures that were never fitted on.
"""

import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from listed_radiographs import Listed, Recipe, is_free_to_use, list_radiographs, share_of
from other_pictures import lateral_pictures, other_pictures

from dfsynth.checkpoint import ModelCard
from dfsynth.datasets import PairInfo, PairSource, open_pairs
from dfsynth.decode import DecodeLimits, decode
from dfsynth.preprocess import prepare
from dfsynth.records import Float32Map, IntensityWindow, MonteCarloMode
from dfsynth.train.heads import (
    FRONTAL,
    HELD_OUT_SHIFTS,
    SHIFTS,
    Picture,
    TruePicture,
    picture_kinds,
    to_model_input,
)

_SHIFTS_OF_A_PAIR: Final = 3
"""Kinds drawn of each pair, beside the pair as it is; twice as many in tests."""
_VIEWS_OF_A_VOLUME: Final = 10
_WINDOW: Final = IntensityWindow()
Wanted = Callable[[PairInfo], bool]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Where everything lies, and what it is for."""

    data: Path
    """With `cxr/`, `cxr-masks/`, `ct/`, `mri/`, `petct/`, `ood/` and `cxr-dicom/`."""
    pairs: Path
    more: Path
    """Phantoms that the generator was not trained on."""
    left_out: Path
    recipe: Recipe
    card: ModelCard

    def opened(self, path: Path) -> PairSource:
        """The pairs of a store in the checkpoint's grid."""
        card = self.card
        return open_pairs(path, None, card.grid[0], card.window, card.intensity)


@dataclass(frozen=True, slots=True)
class PictureSet:
    """Pictures of one purpose."""

    name: str
    mode: MonteCarloMode
    pictures: Callable[[], Iterable[Picture]]


def picture_sets(inputs: Inputs) -> list[PictureSet]:
    """All sets: for fitting in both modes, thresholds, margins, and four to report."""

    def shifted(first: int) -> Iterator[Picture]:
        # Networks learn nothing from validation patients, among whom is a volume of its own kind.
        yield from _shifted(inputs, inputs.pairs, lambda r: r.split in ("train", "val"), first)
        yield from _shifted(inputs, inputs.more, lambda r: not _calibrates(r), first)

    def calibration(first: int) -> Iterator[Picture]:
        yield from _shifted(
            inputs, inputs.pairs, lambda r: r.split == "calibration" and r.origin != "cxr", first
        )
        yield from _shifted(inputs, inputs.more, _calibrates, first)

    def tested(path: Path, wanted: Wanted) -> Iterator[Picture]:
        return _shifted(inputs, path, wanted, 3, testing=True)

    return [
        PictureSet("shifted-full", "full", lambda: shifted(0)),
        PictureSet("shifted-fast", "fast", lambda: shifted(1)),
        PictureSet("pictures-full", "full", lambda: _pictures(inputs, 0)),
        PictureSet("pictures-fast", "fast", lambda: _pictures(inputs, 1)),
        PictureSet("held-full", "full", lambda: _held_back(inputs)),
        PictureSet("calibration-full", "full", lambda: calibration(2)),
        PictureSet("test", "full", lambda: tested(inputs.pairs, lambda r: r.split == "test")),
        PictureSet("left-out", "full", lambda: tested(inputs.left_out, lambda _: True)),
        PictureSet("archive", "full", lambda: _archive(inputs)),
        PictureSet("archive-fast", "fast", lambda: _archive(inputs)),
        PictureSet("ood", "full", lambda: _out_of_distribution(inputs)),
        PictureSet("ood-fast", "fast", lambda: _out_of_distribution(inputs)),
    ]


def _shifted(
    inputs: Inputs, path: Path, wanted: Wanted, seed: int, testing: bool = False
) -> Iterator[Picture]:
    """Each wanted pair as it is and under some shifts; those held out in tests alone."""
    source, card = inputs.opened(path), inputs.card
    allowed = [k for k in SHIFTS if k != "none" and (testing or k not in HELD_OUT_SHIFTS)]
    for index, row in enumerate(source.rows):
        if not wanted(row):
            continue
        truth, rng = TruePicture.of(source.read(index)), np.random.default_rng([seed, index])
        drawn = rng.choice(allowed, _SHIFTS_OF_A_PAIR * (1 + testing), replace=False)
        for kind in ("none", *map(str, drawn)):
            changed = SHIFTS[kind](truth, rng)
            ready = to_model_input(changed.image, card.grid, card.intensity)
            key = f"{row.key}:{kind}:{seed}"
            yield Picture(key, row.patient_id, str(row.origin), kind, ready, changed)


def _calibrates(row: PairInfo) -> bool:
    """Whether a phantom calibrates and is not fitted on: half of them."""
    return hashlib.blake2b(row.patient_id.encode(), digest_size=1).digest()[0] % 2 == 0


def _pictures(inputs: Inputs, seed: int) -> Iterator[Picture]:
    """Frontal radiographs of training patients, what they can be made into, and other pictures."""
    rng = np.random.default_rng([4, seed])
    chosen = [x for x in _free(inputs) if share_of(x.patient_id, inputs.recipe) == "train"]
    for entry in chosen[seed::2]:
        for kind, image in picture_kinds(_read(entry.path), rng).items():
            yield _picture(inputs, f"{entry.path.name}:{kind}", entry, kind, image)
    volumes = [n for n in inputs.recipe["volumes"] if n != inputs.recipe["left_out"]]
    paths = [inputs.data / "ct" / name for name in volumes]
    for number, (name, image) in enumerate(other_pictures(inputs.data, rng)):
        yield _picture(inputs, f"{name}:{seed}:{number}", name, "other", image)
    for number, (name, image) in enumerate(lateral_pictures(paths, _VIEWS_OF_A_VOLUME, rng)):
        yield _picture(inputs, f"{name}:{seed}:{number}", name, "lateral", image)


def _held_back(inputs: Inputs) -> Iterator[Picture]:
    """Frontal radiographs of the same archives that nothing is fitted on."""
    for entry in _free(inputs):
        if share_of(entry.patient_id, inputs.recipe) != "train":
            yield _picture(inputs, entry.path.name, entry, FRONTAL, _read(entry.path))


def _archive(inputs: Inputs) -> Iterator[Picture]:
    """An archive never trained on: its radiographs, and what they can be made into."""
    rng = np.random.default_rng(5)
    for entry in list_radiographs(inputs.data):
        if entry.path.name.startswith("shenzhen"):
            image = _read(entry.path)
            made = picture_kinds(image, rng) | {FRONTAL: image}
            for kind, changed in made.items():
                yield _picture(inputs, f"{entry.path.name}:{kind}", entry, kind, changed)


def _out_of_distribution(inputs: Inputs) -> Iterator[Picture]:
    """Real pictures of other kinds; and radiographs of hips."""
    with (inputs.data / "ood" / "labels.csv").open(newline="") as table:
        for line in csv.DictReader(table):
            path = inputs.data / "ood" / line["file"]
            yield _picture(inputs, line["file"], line["file"], path.parent.name, _read(path))
    for path in sorted((inputs.data / "cxr-dicom").glob("wg04_*hip*.dcm")):
        yield _picture(inputs, path.name, path.name, "hip", _read(path))


def _free(inputs: Inputs) -> list[Listed]:
    listed = list_radiographs(inputs.data)
    return [entry for entry in listed if is_free_to_use(entry.license, inputs.recipe)]


def _picture(inputs: Inputs, key: str, of: Listed | str, kind: str, image: Float32Map) -> Picture:
    patient, origin = (of, "volume") if isinstance(of, str) else (of.patient_id, of.source)
    ready = to_model_input(image, inputs.card.grid, inputs.card.intensity)
    return Picture(key, patient, origin, kind, ready)


def _read(path: Path) -> Float32Map:
    """A radiograph's own pixels made small, (y, x) in [0, 1], dense is bright, no padding."""
    decoded = decode(path.read_bytes(), DecodeLimits())
    height, width = decoded.pixels.shape
    scale = 512 / max(height, width)
    grid = (max(round(height * scale), 1), max(round(width * scale), 1))
    ready = prepare(decoded, grid, _WINDOW)
    return ready.image[ready.geometry.content]
