"""Gas outside the lungs changes the radiograph alone, and only outside the lungs."""

import numpy as np

from dfsynth.train.augment import add_gas


def test_gas_darkens_outside_the_lungs_and_spares_them():
    image = np.full((64, 64), 0.8, np.float32)
    lung = np.zeros((64, 64), np.float32)
    lung[20:50, 10:30] = 1
    darkened = np.zeros((64, 64))
    for seed in range(40):
        drawn = add_gas(image, lung, np.random.default_rng(seed))
        assert drawn.dtype == np.float32
        assert drawn.min() >= 0
        assert np.all(drawn <= image + 1e-6)
        darkened = np.maximum(darkened, image - drawn)
    inner = (slice(26, 44), slice(16, 24))
    assert darkened[inner].max() < 1e-3
    assert darkened[:, 40:].max() > 0.3


def test_gas_is_drawn_from_the_generator_given():
    image, lung = np.full((32, 32), 0.5, np.float32), np.zeros((32, 32), np.float32)
    one, same, other = (add_gas(image, lung, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.any(one != other)
