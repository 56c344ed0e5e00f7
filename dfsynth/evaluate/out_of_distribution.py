"""Can an uncertainty tell pictures that the checkpoint was not made for from those of the test?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.decode import decode
from dfsynth.errors import ImageError, UsageError
from dfsynth.evaluate.bootstrap import Interval, draw_patients
from dfsynth.evaluate.prediction import StagedGenerator
from dfsynth.evaluate.ranking import weighted_auroc
from dfsynth.preprocess import prepare
from dfsynth.progress import Progress
from dfsynth.records import IntensityWindow, ModelInput, Scored, SourceItem
from dfsynth.score import score
from dfsynth.source import Source, open_source

Array = NDArray[np.float64]

SCORES: Final = (
    "uncertainty",
    "aleatoric_mean",
    "aleatoric_lung_mean",
    "aleatoric_p95",
    "epistemic_mean",
    "epistemic_lung_mean",
    "epistemic_p95",
    "lung_fraction",
    "ood_score",
)
"""Manifest columns that a user may filter by."""
LOW_IS_STRANGE: Final = frozenset({"lung_fraction"})
_MAX_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class ForeignPictures:
    """A folder of pictures that are no test pairs, listed."""

    source: Source
    items: tuple[SourceItem, ...]


def list_foreign(folder: Path, limit: int | None) -> ForeignPictures:
    """The pictures of a folder, archive or table, at most `limit`, evenly spaced.

    Raises:
        UsageError: no such folder, or no images in it.
    """
    source = open_source(str(folder), None)
    table = source.listing().table.select(["image_id", "uri", "offset", "size_bytes"])
    if not table.num_rows:
        raise UsageError(f"--ood {folder} holds no images; expected a folder of other images")
    chosen = spaced(table.num_rows, limit)
    lines = table.take(list(chosen)).to_pylist()
    return ForeignPictures(
        source, tuple(SourceItem(row=n, shard=0, **line) for n, line in enumerate(lines))
    )


def spaced(count: int, limit: int | None) -> tuple[int, ...]:
    """At most `limit` of 0 … count − 1, evenly spaced."""
    if limit is None or limit >= count:
        return tuple(range(count))
    return tuple(int(i) for i in np.linspace(0, count - 1, limit).round())


def score_foreign(
    pictures: ForeignPictures,
    generator: StagedGenerator,
    grid: tuple[int, int],
    window: IntensityWindow,
    progress: Progress,
) -> tuple[list[Scored], int]:
    """Scores of the pictures that can be read, and how many cannot.

    Raises:
        UsageError: none can be read.
        DfsynthError: the source itself is gone.
    """
    found: list[Scored] = []
    failed = 0
    size = generator.auto_batch_size(grid)
    for start in range(0, len(pictures.items), size):
        chosen = pictures.items[start : start + size]
        ready: list[tuple[str, ModelInput]] = []
        for item in chosen:
            try:
                data = pictures.source.read(item, _MAX_BYTES)
                ready.append((item.image_id, prepare(decode(data), grid, window)))
            except ImageError as error:
                progress.message(f"--ood: {item.image_id} is left out: {error}")
        failed += len(chosen) - len(ready)
        if ready:
            inputs = [source for _, source in ready]
            maps = generator.generate(inputs, [key for key, _ in ready])
            found += [score(g, source) for g, source in zip(maps, inputs, strict=True)]
        progress.advance(ok=len(ready), failed=len(chosen) - len(ready))
    if not found:
        raise UsageError(
            f"none of the {failed} pictures of --ood can be read; expected radiographs or other "
            "images in PNG, JPEG, TIFF or DICOM"
        )
    return found, failed


def detection(
    own: Sequence[Scored], patients: Sequence[str], foreign: Sequence[Scored], seed: int
) -> dict[str, Interval]:
    """Column → AUROC of foreign against own pictures, patients and foreign pictures drawn anew.

    High is foreign, but for `LOW_IS_STRANGE`. A picture without a number (no lung was found) is
    the strangest of all, since filters drop it; a column without any number has no AUROC.
    """
    return {name: _auroc(own, patients, foreign, name, seed) for name in SCORES}


def _auroc(
    own: Sequence[Scored],
    patients: Sequence[str],
    foreign: Sequence[Scored],
    name: str,
    seed: int,
) -> Interval:
    numbers = [s.scores[name] for s in (*own, *foreign)]
    if all(number is None for number in numbers):
        return Interval(None, None, None)
    sign = -1.0 if name in LOW_IS_STRANGE else 1.0
    values = np.array([np.inf if n is None else sign * n for n in numbers])
    is_foreign = np.repeat([False, True], [len(own), len(foreign)])
    strangers = draw_patients([str(n) for n in range(len(foreign))], seed + 1)
    resamples = draw_patients(patients, seed).beside(strangers)
    return resamples.of_weights(lambda weights: weighted_auroc(values, is_foreign, weights))
