"""Raw outputs → mean, alpha, beta; and the attention map between stages."""

import math

import numpy as np
import pytest
import torch

from dfsynth.models import Prediction, guide
from dfsynth.models.heads import ALPHA_FLOOR, BETA_HIGH, BETA_LOW, interpret


def prediction(mean: float, alpha: float, beta: float) -> Prediction:
    maps = [torch.full((1, 1, 2, 2), value) for value in (mean, alpha, beta)]
    return Prediction(maps[0], maps[1], maps[2], None)


def test_the_first_stage_starts_gaussian_and_saved_weights_rely_on_where() -> None:
    start = interpret(torch.zeros(1, 3, 2, 2), None)
    assert float(start.mean.max()) == 0.0
    assert float(start.alpha[0, 0, 0, 0]) == pytest.approx(math.log1p(math.exp(-2)) + 1e-3)
    assert float(start.beta[0, 0, 0, 0]) == pytest.approx(0.5 + 7.5 / (1 + math.exp(1.4)))
    assert start.lung_logit is None


def test_channels_are_mean_alpha_beta_lung() -> None:
    raw = torch.zeros(1, 4, 2, 2)
    base = interpret(raw, None)
    for channel, name in enumerate(("mean", "alpha", "beta", "lung_logit")):
        changed = raw.clone()
        changed[:, channel] = 0.5
        found = interpret(changed, None)
        for other in ("mean", "alpha", "beta", "lung_logit"):
            moved = not torch.equal(getattr(found, other), getattr(base, other))
            assert moved == (other == name), (name, other)


@pytest.mark.parametrize("raw", [-1e4, -60.0, -5.0, 0.0, 5.0, 60.0, 1e4])
@pytest.mark.parametrize("before", [None, (0.2, 1e-3, 0.5), (0.2, 0.1, 2.0), (0.2, 40.0, 8.0)])
def test_alpha_and_beta_stay_in_their_bounds(
    raw: float, before: tuple[float, float, float] | None
) -> None:
    found = interpret(torch.full((1, 3, 2, 2), raw), before and prediction(*before))
    assert float(found.alpha.min()) >= ALPHA_FLOOR * (1 - 1e-6)
    assert BETA_LOW <= float(found.beta.min()) <= float(found.beta.max()) <= BETA_HIGH
    assert torch.isfinite(found.sigma).all()


@pytest.mark.parametrize("raw", [-5.0, 5.0])
def test_bounds_are_smooth_so_that_gradients_live(raw: float) -> None:
    leaf = torch.full((1, 3, 1, 1), raw, requires_grad=True)
    found = interpret(leaf, None)
    (found.alpha.sum() + found.beta.sum()).backward()
    assert leaf.grad is not None
    assert (leaf.grad[0, 1:].abs() > 5e-4).all()


@pytest.mark.parametrize("alpha", [0.0011, 0.01, 0.13, 2.0, 50.0])
@pytest.mark.parametrize("beta", [0.5001, 0.6, 1.0, 2.0, 7.9, 7.9999])
def test_a_zero_change_leaves_the_stage_before(alpha: float, beta: float) -> None:
    before = prediction(0.37, alpha, beta)
    found = interpret(torch.zeros(1, 3, 2, 2), before)
    torch.testing.assert_close(found.mean, before.mean, rtol=0, atol=0)
    torch.testing.assert_close(found.alpha, before.alpha, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found.beta, before.beta, rtol=0, atol=2e-5)


def test_many_zero_changes_do_not_drift() -> None:
    stage = prediction(0.37, 0.0502, 1.31)
    for _ in range(10):
        stage = interpret(torch.zeros(1, 3, 2, 2), stage)
    assert float(stage.alpha[0, 0, 0, 0]) == pytest.approx(0.0502, rel=1e-4)
    assert float(stage.beta[0, 0, 0, 0]) == pytest.approx(1.31, rel=1e-4)


def test_the_mean_changes_by_what_the_raw_output_says() -> None:
    raw = torch.zeros(1, 3, 2, 2)
    raw[:, 0] = -0.11
    assert float(interpret(raw, prediction(0.4, 0.1, 2.0)).mean[0, 0, 0, 0]) == pytest.approx(0.29)


def test_the_guide_is_the_equation_image_by_image() -> None:
    rng = np.random.default_rng(1)
    mean = rng.normal(0.3, 0.1, (3, 1, 5, 7))
    # Images of very different sigma: a mean over the batch would show.
    sigma = rng.uniform(0.01, 0.2, (3, 1, 5, 7)) * np.array([1, 10, 100])[:, None, None, None]
    expected = np.stack([b * s / s.mean() for b, s in zip(mean, sigma, strict=True)])
    found = guide(torch.from_numpy(mean).float(), torch.from_numpy(sigma).float())
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


def test_the_guides_scale_does_not_depend_on_the_images_size() -> None:
    mean, sigma = torch.rand(2, 1, 8, 6), torch.rand(2, 1, 8, 6) + 0.01
    small = guide(mean, sigma)
    large = guide(mean.repeat(1, 1, 3, 4), sigma.repeat(1, 1, 3, 4))
    torch.testing.assert_close(large, small.repeat(1, 1, 3, 4), rtol=1e-5, atol=1e-6)


def test_one_weight_moves_the_width_of_all_pixels_far_and_by_its_own_gradient() -> None:
    weight = torch.tensor(-0.1, requires_grad=True)
    found = interpret(torch.zeros(1, 1, 2, 2), None, "point", weight)
    expected = math.log1p(math.exp(-2 - 20 * 0.1))
    torch.testing.assert_close(found.alpha, torch.full((1, 1, 2, 2), expected + 1e-3))
    found.alpha.mean().backward()
    assert weight.grad is not None
    # As large as a bias's would be, so that clipping by the norm does not see it.
    assert float(weight.grad) == pytest.approx(1 - math.exp(-expected), rel=1e-4)
