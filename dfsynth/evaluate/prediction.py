"""Pairs → what each stage of a generator predicts for them, batch by batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dfsynth.datasets import PairImages, PairInfo, PairSource
from dfsynth.evaluate.density import GAUSSIAN, PredictiveDistribution
from dfsynth.evaluate.measurement import PredictedImage
from dfsynth.inference import MapBatch
from dfsynth.inference.map_generator import Content
from dfsynth.progress import Progress
from dfsynth.records import Float32Map, Generated, Geometry, ModelInput
from dfsynth.score.lung import lung_region, predicted_lung

LungOf: TypeAlias = Literal["pairs", "checkpoint", "none"]
"""Where the outline of a lung comes from."""


class StagePredictor(Protocol):
    """What is asked of a generator here; every `MapGenerator` is one."""

    def auto_batch_size(self, grid: tuple[int, int]) -> int:
        """Chooses how many images of (height, width) make a batch."""

    def stages(
        self,
        images: NDArray[np.floating],
        image_ids: Sequence[str] | None = None,
        contents: Sequence[Content] | None = None,
    ) -> list[MapBatch]:
        """Makes the maps of every stage, with `beta`, of images (n, H, W)."""


@dataclass(frozen=True, slots=True, eq=False)
class PredictedPair:
    """A pair and its prediction."""

    index: int
    """Of the pair in its source."""
    info: PairInfo
    images: PairImages
    """As the source gives them."""
    image: PredictedImage
    generated: Generated
    """Maps of the last stage, in the grid."""
    source: ModelInput
    """What the generator saw."""
    lung_of: LungOf


def predict_pairs(
    generator: StagePredictor, source: PairSource, indices: Sequence[int], progress: Progress
) -> Iterator[PredictedPair]:
    """Predicts the pairs `indices` of `source` in order; no more than a batch is in memory.

    Raises:
        UsageError, StoreError: a pair cannot be read.
    """
    if not indices:
        return
    first = source.read(indices[0])
    height, width = first.image.shape
    size = generator.auto_batch_size((height, width))
    for start in range(0, len(indices), size):
        chosen = indices[start : start + size]
        pairs = [first if i == indices[0] else source.read(i) for i in chosen]
        keys = [source.rows[i].key for i in chosen]
        contents = [pair.content for pair in pairs]
        stages = generator.stages(np.stack([pair.image for pair in pairs]), keys, contents)
        for position, (index, pair) in enumerate(zip(chosen, pairs, strict=True)):
            yield _predicted(index, source.rows[index], pair, stages, position)
        progress.advance(ok=len(chosen), failed=0)


def _predicted(
    index: int, info: PairInfo, pair: PairImages, stages: Sequence[MapBatch], position: int
) -> PredictedPair:
    """The pair at `position` of a batch with its maps cut out of those of the batch."""
    content, last = pair.content, stages[-1]
    lung_map = None if last.lung is None else last.lung[position]
    image = PredictedImage(
        stages=[_distribution(maps, position, content) for maps in stages],
        noisy=pair.target[content],
        clean=None if pair.clean is None else pair.clean[content],
        lung=_lung(pair, lung_map),
    )
    generated = last.image(position)
    lung_of: LungOf = "none" if lung_map is None else "checkpoint"
    if pair.lung is not None:
        lung_of = "pairs"
    return PredictedPair(index, info, pair, image, generated, _model_input(pair), lung_of)


def _distribution(
    maps: MapBatch, position: int, content: tuple[slice, slice]
) -> PredictiveDistribution:
    mean = maps.mean[position]
    beta = np.full_like(mean, GAUSSIAN) if maps.beta is None else maps.beta[position]
    sigma = np.hypot(maps.aleatoric[position], maps.epistemic[position])
    return PredictiveDistribution(mean[content], sigma[content], beta[content])


def _lung(pair: PairImages, predicted: Float32Map | None) -> NDArray[np.bool_] | None:
    """The lung of the pair, else the predicted one; null where it is too small to measure."""
    if pair.lung is not None:
        return lung_region(pair.lung[pair.content] == 1)
    return None if predicted is None else lung_region(predicted_lung(predicted[pair.content]))


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
