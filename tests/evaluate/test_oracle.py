"""What an oracle knows of the noise."""

import numpy as np
import pytest

from dfsynth.evaluate.oracle import error_sigma, expected_target


def test_the_local_noise_is_found_where_it_changes() -> None:
    rng = np.random.default_rng(1)
    sigma = np.where(np.arange(96)[:, None] < 48, 0.02, 0.2) * np.ones((96, 96))
    clean = rng.random((96, 96)).astype(np.float32)
    noisy = (clean + sigma * rng.standard_normal((96, 96))).astype(np.float32)
    _, found = expected_target(noisy, clean)
    assert np.median(found[:30]) == pytest.approx(0.02, rel=0.1)
    assert np.median(found[66:]) == pytest.approx(0.2, rel=0.1)


def test_an_offset_that_scatter_leaves_is_known() -> None:
    """A network that learns it must not beat the bound."""
    rng = np.random.default_rng(2)
    clean = rng.random((64, 64)).astype(np.float32)
    offset = np.linspace(0, 0.1, 64, dtype=np.float32)
    noisy = clean + offset + np.float32(0.02) * rng.standard_normal((64, 64), np.float32)
    expected, noise = expected_target(noisy, clean)
    of_network = np.mean(np.square(noisy - (clean + offset)))
    assert np.mean(np.square(noisy - expected)) < of_network
    assert np.median(noise) == pytest.approx(0.02, rel=0.1)


def test_a_wrong_mean_and_noise_add_in_squares() -> None:
    clean = np.zeros((4, 4), np.float32)
    found = error_sigma(clean + np.float32(0.3), clean, np.full((4, 4), 0.4, np.float32))
    np.testing.assert_allclose(found, 0.5, rtol=1e-6)
