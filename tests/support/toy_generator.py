"""A generator of a few numpy operations, so that whole builds take milliseconds and no torch."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dfsynth.errors import UsageError
from dfsynth.records import Generated, GeneratorFacts, Intensity, IntensityWindow, ModelInput
from dfsynth.tasks import DEFAULT_TASK

_PERCENTILES = IntensityWindow()


def stream(seed: int, image_id: str) -> np.random.Generator:
    digest = hashlib.blake2b(f"{seed}:{image_id}".encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


@dataclass(frozen=True)
class ToyGenerator:
    """Maps that depend on the image, its id and the seed alone."""

    batch_size: int
    seed: int
    description: str = "numpy"
    learned: Mapping[str, float] | None = None
    learned_flags: tuple[str, ...] = ()
    at_once: int = 1

    def generate(self, inputs: Sequence[ModelInput], image_ids: Sequence[str]) -> list[Generated]:
        assert len(inputs) == self.batch_size, "batches must have one fixed, padded shape"
        return [self.one(i, name) for i, name in zip(inputs, image_ids, strict=True)]

    def one(self, source: ModelInput, image_id: str) -> Generated:
        noise = stream(self.seed, image_id).random(source.image.shape, np.float32)
        lung = (source.image < 0.5).astype(np.float32)
        return Generated(
            mean=(1 - source.image) * 0.5 + 0.01 * noise,
            aleatoric=0.05 + 0.02 * noise,
            epistemic=0.01 + 0.01 * noise,
            lung=lung,
            learned=self.learned,
            learned_flags=self.learned_flags,
        )


class ToyMaker:
    """Implements `dfsynth.jobs.generator.GeneratorMaker`."""

    def __init__(
        self,
        *,
        seed: int = 0,
        batch_size: int = 3,
        sha256: str = "0" * 64,
        learned: Mapping[str, float] | None = None,
        learned_flags: tuple[str, ...] = (),
        intensity: Intensity = _PERCENTILES,
    ) -> None:
        self.facts = GeneratorFacts(
            name="toy",
            sha256=sha256,
            grid=(16, 16),
            intensity=intensity,
            unit="1",
            window=(0.0, 1.0),
            has_lung=True,
            license="none",
            task=DEFAULT_TASK,
            has_learned_scores=learned is not None,
        )
        self.learned = learned
        self.learned_flags = learned_flags
        self.seed = seed
        self.batch_size = batch_size
        self.made = 0

    def resolve_precision(self, wanted: str) -> str:
        if wanted not in ("auto", "fp32"):
            raise UsageError(f"unknown precision {wanted!r}")
        return "fp32"

    def make(self, precision: str, grid: tuple[int, int]) -> ToyGenerator:  # noqa: ARG002
        self.made += 1
        return ToyGenerator(
            self.batch_size, self.seed, learned=self.learned, learned_flags=self.learned_flags
        )
