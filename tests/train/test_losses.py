"""Losses against hand formulas."""

import numpy as np
import pytest
import torch

from dfsynth.train import least_squares_discriminator, least_squares_generator, residual_l1


def test_the_generator_wants_one() -> None:
    assert float(least_squares_generator(torch.tensor([[1.0, 1.0]]))) == 0
    found = least_squares_generator(torch.tensor([0.5, -1.0]))
    assert float(found) == pytest.approx((0.25 + 4.0) / 2)


def test_the_discriminator_wants_one_for_the_real_and_zero_for_the_made() -> None:
    ones, zeros = torch.ones(3, 4), torch.zeros(3, 4)
    assert float(least_squares_discriminator(ones, zeros)) == 0
    assert float(least_squares_discriminator(zeros, ones)) == 2
    found = least_squares_discriminator(torch.tensor([0.5, 1.0]), torch.tensor([0.2, 0.0]))
    assert float(found) == pytest.approx(0.125 + 0.02)


def test_half_scores_are_squared_in_float32() -> None:
    scores = torch.tensor([1.0, 0.998], dtype=torch.bfloat16)
    assert least_squares_generator(scores).dtype == torch.float32
    assert least_squares_discriminator(scores, scores).dtype == torch.float32


@pytest.mark.parametrize("box", [3, 9])
def test_a_constant_offset_has_no_residual(box: int) -> None:
    image = torch.rand(2, 1, 20, 24)
    assert float(residual_l1(image + 0.7, image, box)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("box", [3, 5, 9])
def test_the_residual_is_image_less_box_blur(box: int) -> None:
    rng = np.random.default_rng(0)
    first, second = rng.random((2, 14, 17))

    def residual(image: np.ndarray) -> np.ndarray:
        padded = np.pad(image, box // 2, mode="reflect")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (box, box))
        return image - windows.mean(axis=(2, 3))

    expected = np.abs(residual(first) - residual(second)).mean()
    mean, target = (torch.from_numpy(i).float()[None, None] for i in (first, second))
    found = residual_l1(mean, target, box)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_slow_changes_cost_little_and_fine_ones_much() -> None:
    y, x = np.mgrid[:64, :64]
    flat = torch.zeros(1, 1, 64, 64)
    slow = torch.from_numpy(np.cos(2 * np.pi * x / 64)).float()[None, None]
    fine = torch.from_numpy(np.cos(np.pi * (x + y))).float()[None, None]
    assert float(residual_l1(slow, flat, 9)) < 0.05
    assert float(residual_l1(fine, flat, 9)) > 0.9
