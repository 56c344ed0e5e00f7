"""Masks keep what they say, and what they leave out is 0 in k-space and nowhere else."""

import numpy as np
import pytest

from dfsynth.options import MASKS
from dfsynth.simulation.mri.kspace import to_kspace, to_magnitude
from dfsynth.simulation.mri.undersampling import draw_mask, undersample

SIZE = 96


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("keep", [0.04, 0.08, 0.25, 1.0])
def test_a_mask_keeps_the_zero_frequency_and_about_its_share(kind: str, keep: float) -> None:
    shares = [draw_mask(kind, SIZE, keep, rng(seed)).mean() for seed in range(20)]
    assert np.mean(shares) == pytest.approx(keep, abs=0.015)
    assert all(draw_mask(kind, SIZE, keep, rng(s))[SIZE // 2, SIZE // 2] for s in range(5))


def test_the_centre_is_a_square_of_8_percent() -> None:
    mask = draw_mask("centre", 200, 0.08, rng())
    rows, columns = mask.any(axis=1), mask.any(axis=0)
    assert rows.sum() == columns.sum() == 57
    assert mask.sum() == 57**2
    assert (mask == draw_mask("centre", 200, 0.08, rng(1))).all()


@pytest.mark.parametrize("kind", ["cartesian-random", "equispaced"])
def test_lines_are_whole_and_differ_from_pair_to_pair(kind: str) -> None:
    mask = draw_mask(kind, SIZE, 0.25, rng())
    assert (mask == mask[:, :1]).all()
    assert (mask != draw_mask(kind, SIZE, 0.25, rng(1))).any()
    assert (mask == draw_mask(kind, SIZE, 0.25, rng())).all()


def test_spokes_go_through_the_centre_in_every_direction() -> None:
    mask = draw_mask("radial", SIZE, 0.25, rng())
    y, x = np.nonzero(mask)
    angles = np.arctan2(y - SIZE // 2, x - SIZE // 2) % np.pi
    assert (np.histogram(angles, 12, (0, np.pi))[0] > 0.03 * mask.sum()).all()


def test_all_of_kspace_gives_the_image_and_a_part_what_it_holds() -> None:
    image = rng().random((SIZE, SIZE), np.float32)
    full = np.ones((SIZE, SIZE), np.bool_)
    np.testing.assert_allclose(undersample(image, full), image, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(to_kspace(image)), np.linalg.norm(image), rtol=1e-5)
    mean = np.zeros_like(full)
    mean[SIZE // 2, SIZE // 2] = True
    np.testing.assert_allclose(undersample(image, mean), image.mean(), rtol=1e-4)


def test_a_wave_is_kept_where_its_frequency_is() -> None:
    y = np.arange(SIZE)[:, None] * np.ones((1, SIZE))
    slow, fast = (1 + 0.5 * np.cos(2 * np.pi * n * y / SIZE) for n in (5, 30))
    mask = draw_mask("centre", SIZE, 0.08, rng())
    np.testing.assert_allclose(undersample(slow.astype(np.float32), mask), slow, atol=1e-4)
    np.testing.assert_allclose(undersample(fast.astype(np.float32), mask), 1, atol=1e-4)
    np.testing.assert_allclose(to_magnitude(to_kspace(fast)), fast, atol=1e-4)
