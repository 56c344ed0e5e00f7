"""What makes a blurred image of a radiograph: the protocol of all degraders."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from dfsynth.records import Float32Map, Parameter


class Degrader(Protocol):
    """Takes quality away from radiographs; called by several threads at once."""

    @property
    def name(self) -> str:
        """What the manifest calls it."""

    def fingerprint(self) -> str:
        """What decides its values beside what it is given: a revision, or a hash of weights."""

    def degrade(self, image: Float32Map, rng: np.random.Generator) -> Float32Map:
        """The image (y, x), square, in [0, 1], dense is bright, without padding → the same shape
        in [0, 1], nothing moved. A pure function of the image and what it draws from `rng`."""

    def drawn(self, rng: np.random.Generator) -> Mapping[str, Parameter]:
        """What `degrade` draws from an `rng` in the same state, by names of manifest columns."""
