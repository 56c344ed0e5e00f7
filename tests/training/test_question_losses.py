"""Losses that know of streaks: gradients, and what they weigh."""

import numpy as np
import pytest
import torch
from question_losses import (
    line_integrals,
    oriented,
    ramp_filtered,
    streak_loss,
    total_variation,
)
from question_training import turn, turn_back, turn_directions

from dfsynth.evaluate.streaks.streak_power import measure_streaks

SIDE = 64
EVEN = torch.ones(1, 36)


def waves(cycles_down: int, cycles_right: int) -> torch.Tensor:
    """A wave with whole cycles over the square, (1, 1, side, side)."""
    places = torch.arange(SIDE, dtype=torch.float64) / SIDE
    phase = cycles_down * places[:, None] + cycles_right * places[None, :]
    return torch.cos(2 * torch.pi * phase).float()[None, None]


def noise(seed: int = 0) -> torch.Tensor:
    return torch.randn(2, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("weights", [EVEN, EVEN.expand(2, 36)])
def test_even_weights_are_plain_l2(weights: torch.Tensor) -> None:
    residual = noise()
    torch.testing.assert_close(oriented(residual, weights), residual.square().mean())


def test_weights_count_streaks_of_their_direction_alone() -> None:
    # Waves along y are streaks that run along x: direction 0.
    weights = torch.ones(1, 36)
    weights[0, 0] = 3.0
    across, along = waves(8, 0), waves(0, 8)
    torch.testing.assert_close(oriented(across, weights), 3 * across.square().mean())
    torch.testing.assert_close(oriented(along, weights), along.square().mean())


def test_directions_are_those_of_the_measured_streaks() -> None:
    slanted = waves(6, 6)
    measured = measure_streaks(slanted[0, 0].numpy(), np.ones((SIDE, SIDE), np.bool_))
    loudest = int(np.argmax(measured.by_angle))
    weights = torch.zeros(1, 36)
    weights[0, loudest] = 1.0
    torch.testing.assert_close(oriented(slanted, weights), slanted.square().mean())


@pytest.mark.parametrize("symmetry", range(8))
def test_directions_turn_with_the_image(symmetry: int) -> None:
    region = np.ones((SIDE, SIDE), np.bool_)
    streaks = (waves(3, 9) + 0.5 * waves(9, 2))[0, 0].numpy()
    before = measure_streaks(streaks, region).by_angle
    after = measure_streaks(turn(streaks, symmetry), region).by_angle
    turned = turn_directions(before.astype(np.float32), symmetry)
    np.testing.assert_allclose(turned, after, atol=0.01 * before.max())
    assert not np.allclose(before, np.roll(before, 1), atol=0.1 * before.max())


@pytest.mark.parametrize("symmetry", range(8))
def test_turning_back_undoes_turning(symmetry: int) -> None:
    image = np.arange(2 * 3 * 3, dtype=np.float32).reshape(2, 3, 3)
    np.testing.assert_array_equal(turn_back(turn(image, symmetry), symmetry), image)
    assert len({turn(image, s).tobytes() for s in range(8)}) == 8


def test_line_integrals_have_the_gradient_of_their_transpose() -> None:
    residual = noise().requires_grad_()
    other = torch.randn(line_integrals(residual).shape, generator=torch.Generator().manual_seed(1))
    (line_integrals(residual) * other).sum().backward()
    assert residual.grad is not None
    assert residual.grad.abs().max() > 0
    # A linear map: its gradient takes any direction to the map's own value.
    step = noise(2)
    expected = (line_integrals(step) * other).sum()
    torch.testing.assert_close((residual.grad * step).sum(), expected, rtol=1e-3, atol=1e-2)


def test_a_quadratic_loss_of_line_integrals_weighs_coarse_errors_more() -> None:
    """By the Fourier slice theorem the weight falls as one over the frequency."""
    ring = [(4, 0), (3, 3), (0, 4), (-3, 3), (4, 2), (2, -4)]

    def weight(times: int) -> float:
        found = [line_integrals(waves(times * y, times * x)).square().mean() for y, x in ring]
        return float(torch.stack(found).mean())

    assert weight(1) / weight(4) == pytest.approx(4, rel=0.25)


def test_the_ramp_takes_away_what_is_constant_along_the_detector() -> None:
    flat = torch.ones(1, 3, 64)
    assert ramp_filtered(flat)[..., 20:44].abs().max() < 0.02
    alternating = flat.clone()
    alternating[..., 1::2] = -1
    assert ramp_filtered(alternating)[..., 20:44].abs().min() > 0.9


@pytest.mark.parametrize(
    "name",
    [
        "l2",
        "l1",
        "oriented",
        "own_oriented",
        "sinogram",
        "filtered_sinogram",
        "gradient",
        "residual",
    ],
)
def test_every_loss_is_least_without_an_error_and_has_a_gradient(name) -> None:
    own = EVEN.expand(2, 36)
    residual = noise().requires_grad_()
    loss = streak_loss(name, residual, EVEN[0], own)
    loss.backward()
    assert float(loss.detach()) > 0
    assert residual.grad is not None
    assert torch.isfinite(residual.grad).all()
    assert float((residual.grad * residual.detach()).sum()) > 0
    assert float(streak_loss(name, torch.zeros_like(residual), EVEN[0], own)) == 0


def test_total_variation_is_that_of_an_edge_however_steep() -> None:
    def edge(width: int) -> torch.Tensor:
        ramp = ((torch.arange(SIDE) - 20) / width).clamp(0, 1)
        return (2.5 * ramp).expand(1, 1, SIDE, SIDE).clone().requires_grad_()

    steep, gentle, flat = edge(1), edge(20), torch.ones(1, 1, SIDE, SIDE, requires_grad=True)
    assert float(total_variation(steep).detach()) == pytest.approx(2.5 / 63, rel=0.05)
    assert float(total_variation(gentle).detach()) == pytest.approx(2.5 / 63, rel=0.05)
    total_variation(flat).backward()
    assert flat.grad is not None
    assert torch.isfinite(flat.grad).all()
