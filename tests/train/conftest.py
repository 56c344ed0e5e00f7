"""A radiograph with a marker, and small examples."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from dfsynth.train import Example, Radiograph

SIDE = 64


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads cost these small networks more than they give."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def marked() -> Radiograph:
    """A spot that is bright, lung, hidden and thick at once, off the centre."""
    y, x = np.mgrid[:SIDE, :SIDE]
    spot = np.exp(-(((y - 22) / 6) ** 2 + ((x - 41) / 6) ** 2) / 2).astype(np.float32)
    lung = (spot > 0.3).astype(np.float32)
    return Radiograph("p", spot, lung, lung.copy(), spot * 2, np.ones_like(spot))


@pytest.fixture
def make_examples() -> Callable[[int], list[Example]]:
    """Pairs whose truth is a plain function of the picture, with a little noise."""

    def make(count: int, side: int = 32) -> list[Example]:
        rng = np.random.default_rng(0)
        examples = []
        for _ in range(count):
            image = rng.random((side // 4, side // 4)).astype(np.float32)
            image = np.kron(image, np.ones((4, 4), np.float32))
            clean = 0.3 - 0.2 * image
            noisy = clean + rng.normal(0, 0.02, image.shape).astype(np.float32)
            lung = (image < 0.5).astype(np.float32)
            examples.append(
                Example(image, noisy.astype(np.float32), clean, lung, np.ones_like(lung))
            )
        return examples

    return make
