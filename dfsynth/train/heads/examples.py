"""Pictures → examples for the heads: what a generator makes of each, and the truth about that."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from dfsynth.inference import MapGenerator
from dfsynth.preprocess import to_grid
from dfsynth.records import Float32Map, Generated, ModelInput
from dfsynth.score import LEARNED_SCORES, SCORE_COLUMNS, score
from dfsynth.statistics import shape_error
from dfsynth.train.heads.shifted import TruePicture
from dfsynth.trust import Evidence, Learned, describe

TARGETS: Final = ("noise", "factor", "lung", "outside", "total")
"""Noise and the patient's factor (its logarithm), then the error of shape and its parts."""
MAP_SCORES: Final = tuple(c.name for c in SCORE_COLUMNS if c.name not in LEARNED_SCORES)
"""The scores that need no heads."""
_LEAST: Final = 1e-3
_RESAMPLED: Final = frozenset({"tilted", "turned", "cropped", "half_chest", "collimated"})
"""Kinds that resample the noise, whose strength then says nothing."""
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture to make an example of."""

    key: str
    """Of the dropout masks."""
    patient_id: str
    origin: str
    """phantom, ct or cxr; or the archive of a picture without truth."""
    kind: str
    """Of shift, or of picture."""
    source: ModelInput
    truth: TruePicture | None = None
    """In the picture's own pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Pictures as the heads see them, and what they should say; n of each."""

    patients: NDArray[np.str_]
    origins: NDArray[np.str_]
    kinds: NDArray[np.str_]
    figures: Array
    """(n, m)"""
    layout: Array
    """(n, l)"""
    targets: Array
    """(n, `TARGETS`), NaN where not known."""
    scores: Array
    """(n, `MAP_SCORES`), NaN where null."""

    def __len__(self) -> int:
        return len(self.kinds)

    def of(self, chosen: NDArray[np.bool_]) -> Self:
        """Those that are chosen (n)."""
        return type(self)(*(getattr(self, f.name)[chosen] for f in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence["Examples"]) -> Self:
        """The parts one after the other."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))

    def save(self, path: Path) -> None:
        """Writes an .npz file; nothing in it is pickled.

        Raises:
            OSError: the disk refuses.
        """
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        np.savez_compressed(path, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            OSError, ValueError: there is no such file, or it is damaged.
        """
        # Array by array: numpy's reader of whole files can be told to unpickle.
        try:
            with ZipFile(path) as archive:
                return cls(*(_read_array(archive, f.name) for f in fields(cls)))
        except (BadZipFile, KeyError) as error:
            raise ValueError(f"{path} holds no examples: {error}; make them again") from error


def _read_array(archive: ZipFile, name: str) -> NDArray[Any]:
    with archive.open(f"{name}.npy") as file:
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))


@dataclass(slots=True)
class DescribingHeads:
    """Stands in for heads that are not trained yet, and keeps the descriptions of what it saw."""

    described: list[tuple[Array, Array]] = field(default_factory=list)

    def __call__(self, evidence: Sequence[Evidence]) -> list[Learned]:
        """Describes each image and says nothing."""
        self.described += [describe(each) for each in evidence]
        return [Learned({}, ())] * len(evidence)


def generate_examples(
    generator: MapGenerator, heads: DescribingHeads, pictures: Iterable[Picture], batch: int
) -> Examples:
    """Generates the maps of each picture and describes them; `heads` are those of `generator`.

    Raises:
        ValueError: there is no picture.
    """
    rows: list[tuple[str, str, str, Array, Array]] = []
    waiting = iter(pictures)
    heads.described.clear()
    while chosen := list(islice(waiting, batch)):
        made = generator.generate([p.source for p in chosen], [p.key for p in chosen])
        for picture, generated in zip(chosen, made, strict=True):
            targets, scores = _targets(picture, generated), _scores(picture, generated)
            rows.append((picture.patient_id, picture.origin, picture.kind, targets, scores))
    if not rows:
        raise ValueError("there is no picture to make an example of")
    patients, origins, kinds, targets_of, scores_of = zip(*rows, strict=True)
    return Examples(
        patients=np.array(patients),
        origins=np.array(origins),
        kinds=np.array(kinds),
        figures=np.stack([figures for figures, _ in heads.described]),
        layout=np.stack([layout for _, layout in heads.described]),
        targets=np.stack(targets_of),
        scores=np.stack(scores_of),
    )


def _scores(picture: Picture, generated: Generated) -> Array:
    found = score(generated, picture.source).scores
    known = [found[name] for name in MAP_SCORES]
    return np.array([np.nan if value is None else value for value in known], np.float32)


def _targets(picture: Picture, generated: Generated) -> Array:
    unknown = np.full(len(TARGETS), np.nan, np.float32)
    if picture.truth is None:
        return unknown
    geometry = picture.source.geometry

    def on_grid(values: Float32Map) -> Float32Map:
        return to_grid(values, geometry)

    clean = on_grid(picture.truth.clean)
    lung = on_grid(picture.truth.lung.astype(np.float32)) > 0.5
    found = shape_error(generated.mean[geometry.content], clean, lung)
    if found is None or not lung.any():
        return unknown
    noise = np.nan
    if picture.kind not in _RESAMPLED:
        noise = float(np.sqrt(np.mean(np.square(on_grid(picture.truth.noisy) - clean)[lung])))
    factor = float(np.log(found.factor)) if found.factor > _LEAST else np.nan
    return np.array([noise, factor, found.lung, found.outside, found.total], np.float32)
