"""Do scores detect images that the checkpoint was not made for?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dfsynth.checkpoint import ModelCard
from dfsynth.counted_nouns import counted
from dfsynth.errors import ImageError, UsageError
from dfsynth.evaluate.score_order import DIRECTED_COLUMNS, unusualness
from dfsynth.evaluate.scores import OutOfDistributionCounts
from dfsynth.evaluate.selection import evenly_spaced
from dfsynth.inference import MapGenerator
from dfsynth.jobs.build_source import open_inputs
from dfsynth.preprocess import ModelInputReader
from dfsynth.progress import Progress
from dfsynth.records import ModelInput, Scored, SourceItem
from dfsynth.score import score
from dfsynth.source import Source
from dfsynth.statistics import Interval, Resamples, resample_patients, weighted_auroc

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OutOfDistributionImages:
    """A folder of images unlike those of the training, listed."""

    source: Source
    items: tuple[SourceItem, ...]


def list_ood_images(folder: Path, limit: int | None, card: ModelCard) -> OutOfDistributionImages:
    """The images of a folder, archive or table, at most `limit`, evenly spaced.

    They are read until one can be, as inputs of the checkpoint of `card`: where none can, that is
    said before anything is generated.

    Raises:
        UsageError: no such folder, no images in it, or none that can be read.
    """
    source = open_inputs(str(folder), None, card.intensity)
    table = source.listing().table.select(["image_id", "uri", "offset", "size_bytes"])
    if not table.num_rows:
        raise UsageError(f"--ood {folder} holds no images; expected a folder of other images")
    chosen = evenly_spaced(table.num_rows, limit)
    lines = table.take(list(chosen)).to_pylist()
    items = tuple(SourceItem(row=n, shard=0, **line) for n, line in enumerate(lines))
    images = OutOfDistributionImages(source, items)
    _require_readable(images, ModelInputReader(card.grid, card.intensity))
    return images


def _require_readable(images: OutOfDistributionImages, reader: ModelInputReader) -> None:
    first: str | None = None
    for item in images.items:
        try:
            reader(images.source.read(item, reader.limits.max_bytes))
        except ImageError as error:
            first = first or f"{item.image_id}: {error}"
        else:
            return
    raise UsageError(
        f"0 of {counted(len(images.items), 'image')} of --ood can be read; the first: {first}"
    )


def measure_detection(
    images: OutOfDistributionImages,
    in_distribution: Sequence[Scored],
    patients: Sequence[str],
    generator: MapGenerator,
    card: ModelCard,
    seed: int,
    progress: Progress,
) -> tuple[dict[str, Interval], OutOfDistributionCounts]:
    """Scores the images and gives the AUROC of each score that may detect them.

    Args:
        images: unlike those of the training.
        in_distribution: scores of the test images.
        patients: the patient of each of those.
        generator: makes the maps that are scored.
        card: of the same checkpoint, whose grid and intensity window are used.
        seed: of the draws of the intervals.
        progress: hears of each batch, and of images that cannot be read.

    Raises:
        DfsynthError: the source itself is gone.
    """
    reader = ModelInputReader(card.grid, card.intensity)
    scored = _score_images(images, reader, generator, progress)
    failed = len(images.items) - len(scored)
    auroc = detection_auroc(in_distribution, patients, scored, seed)
    return auroc, OutOfDistributionCounts(len(scored), failed)


def detection_auroc(
    in_distribution: Sequence[Scored],
    patients: Sequence[str],
    out_of_distribution: Sequence[Scored],
    seed: int,
) -> dict[str, Interval]:
    """Score → AUROC of out-of-distribution against test images, for all scores with a direction.

    Patients of the test and out-of-distribution images are drawn anew. An image without a score
    (no lung was found) is the most unusual of all, since filters drop it; a score that no test
    image has has no AUROC.
    """
    others = resample_patients([str(n) for n in range(len(out_of_distribution))], seed + 1)
    resamples = resample_patients(patients, seed).beside(others)
    positive = np.repeat([False, True], [len(in_distribution), len(out_of_distribution)])
    return {
        column.name: _auroc(
            unusualness((*in_distribution, *out_of_distribution), column)
            if unusualness(in_distribution, column) is not None
            else None,
            positive,
            resamples,
        )
        for column in DIRECTED_COLUMNS
    }


def _auroc(values: Array | None, positive: NDArray[np.bool_], resamples: Resamples) -> Interval:
    if values is None:
        return Interval(None, None, None)
    return resamples.of_weights(lambda weights: weighted_auroc(values, positive, weights))


def _score_images(
    images: OutOfDistributionImages,
    reader: ModelInputReader,
    generator: MapGenerator,
    progress: Progress,
) -> list[Scored]:
    """Scores of the images that can be read."""
    found: list[Scored] = []
    size = generator.auto_batch_size(reader.grid)
    for start in range(0, len(images.items), size):
        chosen = images.items[start : start + size]
        ready: list[tuple[str, ModelInput]] = []
        for item in chosen:
            try:
                data = images.source.read(item, reader.limits.max_bytes)
                ready.append((item.image_id, reader(data)[1]))
            except ImageError as error:
                _leave_out(item.image_id, error, progress)
        scored = _score_inputs(ready, generator, progress) if ready else []
        found += scored
        progress.advance(ok=len(scored), failed=len(chosen) - len(scored))
    return found


def _score_inputs(
    ready: Sequence[tuple[str, ModelInput]], generator: MapGenerator, progress: Progress
) -> list[Scored]:
    """Scores of a batch of inputs, each with its id; less those that the checkpoint fails on."""
    found: list[Scored] = []
    maps = generator.generate([source for _, source in ready], [key for key, _ in ready])
    for (key, source), generated in zip(ready, maps, strict=True):
        try:
            found.append(score(generated, source))
        except ImageError as error:
            _leave_out(key, error, progress)
    return found


def _leave_out(image_id: str, error: ImageError, progress: Progress) -> None:
    progress.message(f"--ood: {image_id} is left out: {error}")
