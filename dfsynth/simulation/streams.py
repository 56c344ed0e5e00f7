"""Independent random streams by name, so that one layer's draws do not move another's."""

import hashlib

import numpy as np


class Streams:
    """Counter-based streams (Philox) of one pair; equal seed and name give equal numbers."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __call__(self, name: str) -> np.random.Generator:
        """A new generator at the start of the stream `name`."""
        digest = hashlib.blake2b(f"{self._seed}:{name}".encode(), digest_size=16).digest()
        return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))
