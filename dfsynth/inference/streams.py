"""One counter-based stream of random numbers an image, from which all its samples are drawn."""

import hashlib
from typing import Final

import numpy as np
from numpy.random import Generator, Philox

from dfsynth.records import Float32Map

_STEPS: Final = b"steps"
"""Tells the streams of steps from those of images; of BLAKE2b's personalisation."""


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


def step_stream(seed: int, image_id: str, sample: int) -> Generator:
    """Makes the generator of what is added on the way to one sample of an image.

    It is another stream than `image_stream`, keyed by the number of the sample too: neither other
    samples nor how they are batched or shared out among networks change what it draws.
    """
    name = f"{seed}\0{image_id}\0{sample}".encode()
    digest = hashlib.blake2b(name, digest_size=16, person=_STEPS).digest()
    return Generator(Philox(key=int.from_bytes(digest, "little")))
