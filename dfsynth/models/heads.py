"""What a stage predicts of every pixel, and how its raw output is interpreted.

Upadhyay et al., MICCAI 2021: mean b, scale alpha and shape beta of a generalised Gaussian. Fixed
shapes are special cases (Laplace, Gaussian); a point estimate has a mean alone, with one width for
all pixels beside it, so that baselines without uncertainty have a likelihood too.

Angelopoulos et al., ICML 2022: a mean and two quantiles. What others take for its distribution is
the Gaussian whose central interval is as wide as that between the quantiles.
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from dfsynth.checkpoint import Likelihood
from dfsynth.models.gennorm import gennorm_alpha, gennorm_sigma

ALPHA_FLOOR = 1e-3
"""Of the dark-field window [0, 1]."""
BETA_LOW, BETA_HIGH = 0.5, 8.0
"""Smooth bounds: at beta 0.3 the standard deviation is 361 alpha, at 0.5 it is 11."""
HEAD_CHANNELS: Final[dict[Likelihood, int]] = {
    "gennorm": 3,
    "laplace": 2,
    "gaussian": 2,
    "point": 1,
    "quantile": 3,
}
"""Raw channels without the lung's: mean, then alpha, then beta; of `quantile` mean and two widths.
"""
FIXED_BETA: Final[dict[Likelihood, float]] = {"laplace": 1.0, "gaussian": 2.0, "point": 1.0}
QUANTILES: Final = (0.05, 0.95)
"""Levels of the likelihood `quantile`, below and above the mean."""
_GAUSSIAN_BETA: Final = 2.0
_GAUSSIAN_QUANTILE: Final = NormalDist().inv_cdf(QUANTILES[1])
"""Standard deviations from a Gaussian's mean to its upper quantile."""
_BETA_START = -1.4
"""Added to the raw beta so that training starts near beta 2 (Gaussian)."""
_ALPHA_START = -2.0
"""Added to the raw alpha so that training starts near alpha 0.13."""
_ALPHA_STRIDE = 20.0
"""A width of all pixels moves so much further a step than a weight does: a bias would need as many
steps as the learning rate is small to come from where training starts."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The predictive distribution of one stage for every pixel; float32, each (n, 1, H, W)."""

    mean: Tensor
    alpha: Tensor
    beta: Tensor
    lung_logit: Tensor | None
    widths: Tensor | None = None
    """(n, 2, H, W), how far `QUANTILES` lie below and above the mean; of `quantile` alone."""

    @property
    def sigma(self) -> Tensor:
        """Aleatoric standard deviation, (n, 1, H, W)."""
        return gennorm_sigma(self.alpha, self.beta)


def interpret(
    raw: Tensor,
    before: Prediction | None,
    likelihood: Likelihood = "gennorm",
    raw_alpha: Tensor | None = None,
    image: Tensor | None = None,
    residual: float = 0.0,
) -> Prediction:
    """Interprets a stage's raw output as mean, alpha > 0, bounded beta and lung logit.

    raw (n, c, H, W) float32 has the channels of `HEAD_CHANNELS`, and one more with a lung output.
    `raw_alpha` (one weight) stands in for the channel that the likelihood `point` lacks.

    Later stages start from the stage before: their raw output is a change of its mean, and of
    its alpha and beta on the raw (unbounded) scale, so that a zero output changes nothing.

    With a `residual` above 0 the first stage's mean changes `image` (n, 1, H, W), the model input
    at the grid of `raw`, and every stage's change is `residual` times its raw output; alpha and
    beta are as without.
    """
    own = HEAD_CHANNELS[likelihood]
    lung_logit = raw[:, own : own + 1] if raw.shape[1] > own else None
    if likelihood == "quantile":
        return _interpret_quantiles(raw, before, lung_logit, image, residual)
    mean = _mean(raw, before, image, residual)
    width = raw[:, 1:2] if raw_alpha is None else _far_moving(raw_alpha).expand_as(mean)
    if before is None:
        width = width + _ALPHA_START
    else:
        width = width + _inverse_softplus(before.alpha - ALPHA_FLOOR)
    alpha = F.softplus(width) + ALPHA_FLOOR
    if likelihood in FIXED_BETA:
        beta = torch.full_like(alpha, FIXED_BETA[likelihood])
    else:
        beta = _bounded_beta(raw[:, 2:3], before)
    return Prediction(mean, alpha, beta, lung_logit)


def quantile_sigma(widths: Tensor) -> Tensor:
    """Computes the standard deviation of the Gaussian whose interval is as wide, (n, 1, H, W).

    `widths` (n, 2, H, W) are those below and above the mean; which of them is the longer is lost.
    """
    return widths.mean(dim=1, keepdim=True) / _GAUSSIAN_QUANTILE


def _mean(raw: Tensor, before: Prediction | None, image: Tensor | None, residual: float) -> Tensor:
    """What the first channel says, of the mean itself or of what it starts from."""
    mean = residual * raw[:, 0:1] if residual else raw[:, 0:1]
    if before is not None:
        return before.mean + mean
    if not residual:
        return mean
    assert image is not None
    return image.float() + mean


def _interpret_quantiles(
    raw: Tensor,
    before: Prediction | None,
    lung_logit: Tensor | None,
    image: Tensor | None,
    residual: float,
) -> Prediction:
    """Mean and two widths above 0, so that quantiles cross neither each other nor the mean."""
    mean, widths = _mean(raw, before, image, residual), raw[:, 1:3]
    if before is None:
        widths = widths + _ALPHA_START
    else:
        assert before.widths is not None
        widths = widths + _inverse_softplus(before.widths - ALPHA_FLOOR)
    widths = F.softplus(widths) + ALPHA_FLOOR
    beta = torch.full_like(mean, _GAUSSIAN_BETA)
    return Prediction(mean, gennorm_alpha(quantile_sigma(widths), beta), beta, lung_logit, widths)


def _far_moving(weight: Tensor) -> Tensor:
    """`_ALPHA_STRIDE` times the weight, with the gradient of the weight itself.

    Adam's steps do not depend on a gradient's scale; the norm by which gradients are clipped does.
    """
    weight = weight.float()
    return weight + (_ALPHA_STRIDE - 1) * weight.detach()


def _bounded_beta(raw: Tensor, before: Prediction | None) -> Tensor:
    """Smoothly: a hard bound would leave no gradient beyond it."""
    if before is None:
        raw = raw + _BETA_START
    else:
        share = (before.beta - BETA_LOW) / (BETA_HIGH - BETA_LOW)
        raw = raw + torch.logit(share, eps=1e-6)
    return BETA_LOW + (BETA_HIGH - BETA_LOW) * torch.sigmoid(raw)


def _inverse_softplus(x: Tensor) -> Tensor:
    x = x.clamp_min(1e-6)
    return x + torch.log(-torch.expm1(-x))
