"""Pairs → what each stage of a generator says of them, batch by batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dfsynth.datasets import PairImages, PairRow, PairSource
from dfsynth.evaluate.density import GAUSSIAN
from dfsynth.evaluate.measurement import Guess, Picture
from dfsynth.inference import MapBatch
from dfsynth.progress import Progress
from dfsynth.records import Float32Map, Generated, Geometry, ModelInput
from dfsynth.score.lung import LEAST_LUNG, LUNG_PROBABILITY

LungOf: TypeAlias = Literal["pairs", "checkpoint", "none"]
"""Where the outline of a lung comes from."""


class StagedGenerator(Protocol):
    """What evaluation needs of a generator; `dfsynth.inference.TorchGenerator` is one."""

    def auto_batch_size(self, grid: tuple[int, int]) -> int:
        """Images a batch for a grid of (height, width)."""

    def stages(
        self, images: NDArray[np.floating], image_ids: Sequence[str] | None = None
    ) -> list[MapBatch]:
        """Maps of every stage of (n, H, W) images in [0, 1]."""

    def generate(self, inputs: Sequence[ModelInput], image_ids: Sequence[str]) -> list[Generated]:
        """Maps of the last stage."""


@dataclass(frozen=True, slots=True, eq=False)
class PredictedPair:
    """A pair and its prediction."""

    number: int
    row: PairRow
    picture: Picture
    generated: Generated
    """Of the last stage, in the grid."""
    source: ModelInput
    """What the generator saw."""
    lung_of: LungOf


def predict_pairs(
    generator: StagedGenerator, source: PairSource, numbers: Sequence[int], progress: Progress
) -> Iterator[PredictedPair]:
    """The pairs `numbers` of `source` in order; no more than a batch is in memory.

    Raises:
        UsageError, StoreError: a pair cannot be read.
    """
    if not numbers:
        return
    first = source.read(numbers[0])
    height, width = first.image.shape
    size = generator.auto_batch_size((height, width))
    for start in range(0, len(numbers), size):
        chosen = numbers[start : start + size]
        images = [first if n == numbers[0] else source.read(n) for n in chosen]
        keys = [source.rows[n].key for n in chosen]
        stages = generator.stages(np.stack([pair.image for pair in images]), keys)
        for place, (number, pair) in enumerate(zip(chosen, images, strict=True)):
            yield _predicted(number, source.rows[number], pair, stages, place)
        progress.advance(ok=len(chosen), failed=0)


def _predicted(
    number: int, row: PairRow, pair: PairImages, stages: Sequence[MapBatch], place: int
) -> PredictedPair:
    content, last = pair.content, stages[-1]
    lung_map = None if last.lung is None else last.lung[place]
    picture = Picture(
        guesses=[_guess(maps, place, content) for maps in stages],
        noisy=pair.dark_field[content],
        clean=None if pair.clean is None else pair.clean[content],
        lung=_lung_of(pair, lung_map),
    )
    generated = Generated(last.mean[place], last.aleatoric[place], last.epistemic[place], lung_map)
    lung_of: LungOf = "none" if lung_map is None else "checkpoint"
    if pair.lung is not None:
        lung_of = "pairs"
    return PredictedPair(number, row, picture, generated, _model_input(pair), lung_of)


def _guess(maps: MapBatch, place: int, content: tuple[slice, slice]) -> Guess:
    mean = maps.mean[place]
    beta = np.full_like(mean, GAUSSIAN) if maps.beta is None else maps.beta[place]
    sigma = np.hypot(maps.aleatoric[place], maps.epistemic[place])
    return Guess(mean[content], sigma[content], beta[content])


def _lung_of(pair: PairImages, predicted: Float32Map | None) -> NDArray[np.bool_] | None:
    """The lung of the pair, else the predicted one; None where it is too small to measure."""
    if pair.lung is not None:
        lung = pair.lung[pair.content] == 1
    elif predicted is not None:
        lung = predicted[pair.content] > LUNG_PROBABILITY
    else:
        return None
    return lung if lung.mean() >= LEAST_LUNG else None


def _model_input(pair: PairImages) -> ModelInput:
    height, width = pair.image.shape
    rows, columns = (range(n)[s] for n, s in zip((height, width), pair.content, strict=True))
    geometry = Geometry(
        source_height=len(rows),
        source_width=len(columns),
        grid_height=height,
        grid_width=width,
        top=rows.start,
        left=columns.start,
        height=len(rows),
        width=len(columns),
    )
    return ModelInput(pair.image, geometry, None, ())
