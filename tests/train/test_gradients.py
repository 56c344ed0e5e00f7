"""Clipping: down to a norm, whatever finite size gradients have."""

import math

import pytest
import torch

from dfsynth.train.gradients import clip_gradients


def with_gradients(*values: list[float]) -> list[torch.nn.Parameter]:
    weights = [torch.nn.Parameter(torch.zeros(len(each))) for each in values]
    for weight, each in zip(weights, values, strict=True):
        weight.grad = torch.tensor(each)
    return weights


def gradients(weights: list[torch.nn.Parameter]) -> torch.Tensor:
    found = [weight.grad for weight in weights if weight.grad is not None]
    return torch.cat(found)


@pytest.mark.parametrize("size", [1e3, 1e18, 1e25, 1e38])
@pytest.mark.parametrize("largest", [0.5, 1.0, 7.0])
def test_long_gradients_keep_their_direction_and_have_the_norm(size: float, largest: float) -> None:
    weights = with_gradients([3 * size, 0.0], [-1.5 * size])
    assert clip_gradients(weights, largest)
    expected = torch.tensor([3.0, 0.0, -1.5]) / math.hypot(3, 1.5) * largest
    torch.testing.assert_close(gradients(weights), expected, rtol=1e-5, atol=1e-6)


def test_short_gradients_stay() -> None:
    weights = with_gradients([0.3, 0.0], [-0.4])
    assert clip_gradients(weights, 1.0)
    assert gradients(weights).tolist() == pytest.approx([0.3, 0.0, -0.4])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("largest", [0.0, 1.0])
def test_gradients_that_are_not_finite_stay_and_are_told(bad: float, largest: float) -> None:
    weights = with_gradients([1.0, 2.0], [bad])
    assert not clip_gradients(weights, largest)
    assert gradients(weights)[:2].tolist() == [1.0, 2.0]


def test_without_clipping_what_overflows_cannot_be_used() -> None:
    weights = with_gradients([1e25, 0.0])
    assert not clip_gradients(weights, 0.0)
    assert gradients(weights).tolist() == pytest.approx([1e25, 0.0])
