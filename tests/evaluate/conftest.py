"""Pairs and generators whose uncertainty is known by construction."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dfsynth.checkpoint import read_checkpoint
from dfsynth.datasets import PairImages, PairInfo
from dfsynth.evaluate import EvaluatedCheckpoint, EvaluationReport, evaluate_pairs
from dfsynth.inference import MapBatch
from dfsynth.inference.map_generator import Content
from dfsynth.options import EvaluationOptions
from dfsynth.progress import Silent
from dfsynth.records import Generated, ModelInput

SIDE = 32
Images = NDArray[np.float32]


@dataclass(frozen=True)
class DrawnPairs:
    """A `PairSource`: the clean target is the radiograph itself, the noise grows to the right."""

    count: int = 24
    with_truth: bool = True
    content: tuple[slice, slice] = (slice(None), slice(None))
    rows: tuple[PairInfo, ...] = field(init=False)
    description: str = "drawn pairs"
    warnings: tuple[str, ...] = ()
    lungless: Collection[int] = ()
    """Indices of pairs whose lung is known and too small, and whose dark field is far off."""

    def __post_init__(self) -> None:
        rows = tuple(
            PairInfo(f"pair {n}", f"patient {n // 2}", "calibration" if n % 4 < 2 else "test")
            for n in range(self.count)
        )
        object.__setattr__(self, "rows", rows)

    @property
    def knows_lungs(self) -> bool:
        return self.with_truth

    def fingerprint(self) -> str:
        return "00"

    def read(self, index: int) -> PairImages:
        rng = np.random.default_rng([17, index])
        image = np.zeros((SIDE, SIDE), np.float32)
        dark_field = np.full((SIDE, SIDE), 1e6, np.float32)
        clean, lung = dark_field.copy(), np.zeros((SIDE, SIDE), np.float32)
        image[self.content] = rng.random(image[self.content].shape)
        noise = noise_of(index)[self.content] * rng.standard_normal(image[self.content].shape)
        dark_field[self.content] = image[self.content] + noise
        clean[self.content] = image[self.content]
        lung[8:24, 4:28] = 1
        if index in self.lungless:
            dark_field += 50
            lung[:] = 0
        if not self.with_truth:
            return PairImages(image, dark_field, content=self.content)
        return PairImages(image, dark_field, clean, lung, content=self.content)


def noise_of(index: int) -> Images:
    """Standard deviation of the noise of a pair, (y, x)."""
    across = np.linspace(0.05, 0.4, SIDE, dtype=np.float32)
    return np.broadcast_to(across * (1 + 0.1 * index), (SIDE, SIDE)).astype(np.float32)


@dataclass(frozen=True)
class KnowingGenerator:
    """Two stages that give the radiograph back; the first is off and knows nothing of the noise.

    Stated sigma is `share` of the true one.
    """

    share: float = 1.0
    batch_sizes: list[int] = field(default_factory=list)

    def auto_batch_size(self, grid: tuple[int, int]) -> int:
        return 5 if grid == (SIDE, SIDE) else 1

    def stages(
        self,
        images: Images,
        image_ids: Sequence[str] | None = None,
        contents: Sequence[Content] | None = None,  # noqa: ARG002
    ) -> list[MapBatch]:
        assert image_ids is not None
        self.batch_sizes.append(len(images))
        sigma = np.stack([noise_of(int(key.split()[1])) for key in image_ids]) * self.share
        zero, beta = np.zeros_like(sigma), np.full_like(sigma, 2.0)
        flat = np.broadcast_to(sigma.mean(axis=(1, 2), keepdims=True), sigma.shape)
        lung = (images > 0.5).astype(np.float32)
        return [
            MapBatch(images + np.float32(0.2), flat, zero, lung, beta),
            MapBatch(images, 0.6 * sigma, 0.8 * sigma, lung, beta),
        ]

    def __call__(self, images: Images, image_ids: Sequence[str] | None = None) -> MapBatch:
        return self.stages(images, image_ids)[-1]

    def generate(self, inputs: Sequence[ModelInput], image_ids: Sequence[str]) -> list[Generated]:
        """Of images that are no pairs: more uncertain than any."""
        large = np.full((SIDE, SIDE), 9.0, np.float32)
        ones = np.ones_like(large)
        return [
            Generated(i.image, large, large, ones) for i, _ in zip(inputs, image_ids, strict=True)
        ]


@pytest.fixture
def make_pairs() -> Callable[..., DrawnPairs]:
    return DrawnPairs


@pytest.fixture
def make_generator() -> Callable[..., KnowingGenerator]:
    return KnowingGenerator


@pytest.fixture
def evaluate(
    tiny_checkpoint: Path, make_generator: Callable[..., Any]
) -> Callable[..., EvaluationReport]:
    """Evaluates a generator, by default one that knows the truth, on pairs in memory."""
    files = read_checkpoint(tiny_checkpoint)

    def run(source: Any, generator: Any = None, **options: Any) -> EvaluationReport:
        checkpoint = EvaluatedCheckpoint(files, generator or make_generator(), "cpu", "fp32")
        wanted = EvaluationOptions("tiny", Path("drawn"), **options)
        return evaluate_pairs(wanted, checkpoint, source, Silent())

    return run
