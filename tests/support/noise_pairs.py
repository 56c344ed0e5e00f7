"""Pairs of noise in memory."""

from dataclasses import dataclass, field

import numpy as np

from dfsynth.datasets import PairImages, PairInfo
from dfsynth.errors import UsageError


@dataclass
class NoisePairs:
    """Implements `dfsynth.datasets.PairSource`; counts how often each pair is read."""

    count: int = 7
    size: tuple[int, int] = (16, 16)
    masks: bool = True
    bad: tuple[int, ...] = ()
    content: tuple[slice, slice] = (slice(None), slice(None))
    twins: bool = False
    reads: list[int] = field(default_factory=list)
    description: str = "noise"
    warnings: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[PairInfo, ...]:
        splits = ("train", "val")
        return tuple(PairInfo(f"n{i}", f"p{i}", splits[i % 2]) for i in range(self.count))

    @property
    def knows_lungs(self) -> bool:
        return self.masks

    def fingerprint(self) -> str:
        return "0"

    def read(self, index: int) -> PairImages:
        self.reads.append(index)
        if index in self.bad:
            raise UsageError(f"pair 'n{index}': bad")
        rng = np.random.default_rng(0 if self.twins else index)
        image, noise = (np.zeros(self.size, np.float32) for _ in range(2))
        image[self.content] = rng.uniform(size=image[self.content].shape)
        noise[self.content] = rng.normal(size=noise[self.content].shape)
        clean = np.full(self.size, index, np.float32)
        if not self.masks:
            return PairImages(image, clean + noise, content=self.content)
        lung, weight = ((rng.uniform(size=self.size) > 0.5).astype(np.float32) for _ in range(2))
        return PairImages(image, clean + noise, clean, lung, weight, self.content)
