"""The generalised Gaussian against SciPy, its special cases, and its numerics."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from dfsynth.models import gennorm_nll, gennorm_sigma

BETAS = np.array([0.5, 0.6, 0.8, 1.0, 1.3, 2.0, 3.0, 5.0, 8.0])
ALPHAS = np.array([1e-3, 0.01, 0.1, 1.0, 7.0])
# Over alpha; all above the documented floor of 1e-4.
RATIOS = np.array([-5.0, -1.0, -0.1, 1e-3, 0.03, 0.5, 2.0, 9.0])


def as_tensors(*arrays: NDArray[np.float64]) -> list[Tensor]:
    return [torch.from_numpy(np.array(a, np.float32)) for a in np.broadcast_arrays(*arrays)]


def grid() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    beta, alpha, ratio = np.meshgrid(BETAS, ALPHAS, RATIOS, indexing="ij")
    # As float32 holds them: at beta 8 a rounding of the ratio grows eightfold.
    return tuple(a.astype(np.float32).astype(np.float64) for a in (beta, alpha, ratio * alpha))


def test_the_likelihood_is_scipys_but_for_ln_2() -> None:
    beta, alpha, residual = grid()
    expected = -stats.gennorm.logpdf(residual, beta, scale=alpha)
    tensors = as_tensors(np.zeros_like(residual), alpha, beta, residual)
    found = gennorm_nll(*tensors).numpy()
    np.testing.assert_allclose(found + math.log(2), expected, rtol=2e-5, atol=2e-5)


def test_the_sign_of_the_residual_does_not_matter_and_only_the_difference_does() -> None:
    alpha, beta = torch.tensor(0.25), torch.tensor(1.5)
    ahead = gennorm_nll(torch.tensor(3.5), alpha, beta, torch.tensor(3.0))
    behind = gennorm_nll(torch.tensor(-0.5), alpha, beta, torch.tensor(0.0))
    assert ahead == behind


def test_sigma_is_scipys_standard_deviation() -> None:
    beta, alpha = np.meshgrid(BETAS, ALPHAS, indexing="ij")
    found = gennorm_sigma(*as_tensors(alpha, beta)).numpy()
    np.testing.assert_allclose(found, stats.gennorm.std(beta, scale=alpha), rtol=2e-5)


def test_beta_2_is_gaussian() -> None:
    sigma, residual = 0.3, 0.7
    alpha, beta = torch.tensor(sigma * math.sqrt(2)), torch.tensor(2.0)
    found = gennorm_nll(torch.tensor(0.0), alpha, beta, torch.tensor(residual))
    expected = 0.5 * math.log(2 * math.pi * sigma**2) + residual**2 / (2 * sigma**2)
    assert float(found) + math.log(2) == pytest.approx(expected, rel=1e-5)
    assert float(gennorm_sigma(alpha, beta)) == pytest.approx(sigma, rel=1e-5)


def test_beta_1_is_laplace() -> None:
    width, residual = 0.3, 0.7
    alpha, beta = torch.tensor(width), torch.tensor(1.0)
    found = gennorm_nll(torch.tensor(0.0), alpha, beta, torch.tensor(residual))
    expected = math.log(2 * width) + residual / width
    assert float(found) + math.log(2) == pytest.approx(expected, rel=1e-5)
    assert float(gennorm_sigma(alpha, beta)) == pytest.approx(width * math.sqrt(2), rel=1e-5)


@pytest.mark.parametrize("beta", [0.5, 0.7, 1.0, 2.0, 8.0])
@pytest.mark.parametrize("residual", [0.0, 1e-30, 1e-9])
def test_gradients_are_finite_where_the_prediction_is_right(beta: float, residual: float) -> None:
    mean, alpha, shape = (torch.tensor(v, requires_grad=True) for v in (0.0, 0.2, beta))
    loss = gennorm_nll(mean, alpha, shape, torch.tensor(residual))
    of_mean, of_alpha, of_beta = torch.autograd.grad(loss, (mean, alpha, shape))
    assert all(torch.isfinite(value) for value in (loss, of_mean, of_alpha, of_beta))
    # Below the floor nothing pulls at the mean, however steep the power is there.
    assert float(of_mean) == 0
    # More width only costs: d/d alpha = 1 / alpha.
    assert float(of_alpha) == pytest.approx(5.0, rel=1e-3)


def test_gradients_are_those_of_the_formula() -> None:
    beta, alpha, residual = (a.ravel() for a in grid())
    leaves = [t.requires_grad_() for t in as_tensors(np.zeros_like(residual), alpha, beta)]
    loss = gennorm_nll(*leaves, *as_tensors(residual)).sum()
    of_mean, of_alpha = torch.autograd.grad(loss, leaves[:2])
    ratio = np.abs(residual) / alpha
    expected_mean = -beta / alpha * ratio ** (beta - 1) * np.sign(residual)
    expected_alpha = (1 - beta * ratio**beta) / alpha
    np.testing.assert_allclose(of_mean.numpy(), expected_mean, rtol=1e-4)
    np.testing.assert_allclose(of_alpha.numpy(), expected_alpha, rtol=1e-4, atol=1e-3)


def test_autocast_and_half_inputs_leave_the_arithmetic_in_float32() -> None:
    beta, alpha, residual = grid()
    tensors = [t.bfloat16() for t in as_tensors(np.zeros_like(residual), alpha, beta, residual)]
    plain = gennorm_nll(*[t.float() for t in tensors])
    with torch.autocast("cpu", torch.bfloat16):
        found = gennorm_nll(*tensors)
        sigma = gennorm_sigma(tensors[1], tensors[2])
    assert found.dtype == sigma.dtype == torch.float32
    assert torch.equal(found, plain)
    assert torch.equal(sigma, gennorm_sigma(tensors[1].float(), tensors[2].float()))


def test_sigma_stays_finite_far_outside_the_usual_betas() -> None:
    # Gamma(3 / 0.05) is 1e80: only the difference of the logarithms fits float32.
    found = float(gennorm_sigma(torch.tensor(1e-20), torch.tensor(0.08)))
    assert found == pytest.approx(stats.gennorm.std(0.08, scale=1e-20), rel=1e-3)
