"""One counter-based stream of random numbers an image, from which all its samples are drawn."""

import hashlib

import numpy as np
from numpy.random import Generator, Philox

from dfsynth.records import Float32Map


def image_stream(seed: int, image_id: str) -> Generator:
    """Makes the generator of an image, Philox keyed by (seed, image_id).

    Neither the batch, the order nor the shard that an image travels in changes what it draws.
    """
    digest = hashlib.blake2b(f"{seed}\0{image_id}".encode(), digest_size=16).digest()
    return Generator(Philox(key=int.from_bytes(digest, "little")))


def noise_samples(seed: int, image_id: str, samples: int, height: int, width: int) -> Float32Map:
    """Draws standard normal noise (samples, height, width) of one image, sample by sample.

    More samples begin with the same ones.
    """
    return image_stream(seed, image_id).standard_normal((samples, height, width), np.float32)
