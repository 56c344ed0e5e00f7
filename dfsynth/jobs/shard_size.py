"""How many images a shard holds where nobody says: some minutes of work."""

from time import perf_counter
from typing import Final

import numpy as np

from dfsynth.jobs.generator import Generator
from dfsynth.records import Geometry, ModelInput

SHARD_S: Final = 240.0
"""What a kill may cost at most, about; a shard takes half of it to all of it."""
SMALLEST: Final = 16
LARGEST: Final = 512
"""A reader of one image reads the index of its whole shard."""
_SHARDS_A_PROCESS: Final = 4
"""Where processes share a store, so that one that is slow or late holds up little."""


def choose_shard_size(images_per_s: float, images: int, processes: int) -> int:
    """A power of two in [SMALLEST, LARGEST] that takes some minutes at this rate.

    Args:
        images_per_s: Of one process.
        images: Of the whole store.
        processes: That share it.
    """
    fair = LARGEST if processes == 1 else images // (_SHARDS_A_PROCESS * processes)
    most = max(min(images_per_s * SHARD_S, fair, LARGEST), SMALLEST)
    return 1 << (int(most).bit_length() - 1)


def measure_rate(generator: Generator, grid: tuple[int, int]) -> float:
    """Images a second of a generator on inputs of the grid (height, width), by its second batch.

    The first one compiles and allocates. Those made at once are taken to be as fast as one alone.

    Raises:
        DfsynthError: the device cannot do it.
    """
    height, width = grid
    ramp = np.linspace(0, 1, width, dtype=np.float32)
    whole = Geometry(height, width, height, width, 0, 0, height, width)
    shown = ModelInput(np.tile(ramp, (height, 1)), whole, None, ())
    count = generator.batch_size
    names = [f"rate-{number}" for number in range(count)]
    generator.generate([shown] * count, names)
    started = perf_counter()
    generator.generate([shown] * count, names)
    return generator.at_once * count / max(perf_counter() - started, 1e-9)
