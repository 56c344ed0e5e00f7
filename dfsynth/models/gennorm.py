"""The zero-mean generalised Gaussian of every pixel: likelihood and standard deviation.

Density beta / (2 alpha Gamma(1/beta)) · exp(−(|r| / alpha)^beta); beta 2 is Gaussian, beta 1 is
Laplace. Upadhyay et al., "Uncertainty-guided progressive GANs for medical image translation",
MICCAI 2021, equations 2–4.
"""

import torch
from torch import Tensor

_RATIO_FLOOR = 1e-4
"""|r| / alpha is floored here: the power's gradient is infinite at 0 for beta < 1."""


def gennorm_misfit(residual: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    """Computes (|residual| / alpha)^beta, the part of the likelihood that the mean moves.

    All tensors have one shape, which the result has too; alpha > 0, beta > 0. Computed in float32
    whatever the autocast state.
    """
    with torch.autocast(device_type=residual.device.type, enabled=False):
        ratio = (residual.float().abs() / alpha.float()).clamp_min(_RATIO_FLOOR)
        return ratio.pow(beta.float())


def gennorm_nll(mean: Tensor, alpha: Tensor, beta: Tensor, target: Tensor) -> Tensor:
    """Computes the negative log-likelihood of each pixel without the constant ln 2, float32.

    (|mean − target| / alpha)^beta − ln(beta / alpha) + ln Gamma(1 / beta): Upadhyay et al. 2021,
    equation 4. All tensors have one shape, which the result has too; alpha > 0, beta > 0. Computed
    in float32 whatever the autocast state.
    """
    with torch.autocast(device_type=mean.device.type, enabled=False):
        mean, alpha, beta = mean.float(), alpha.float(), beta.float()
        misfit = gennorm_misfit(mean - target.float(), alpha, beta)
        return misfit - torch.log(beta) + torch.log(alpha) + torch.lgamma(1.0 / beta)


def gennorm_sigma(alpha: Tensor, beta: Tensor) -> Tensor:
    """Computes the standard deviation alpha · sqrt(Gamma(3/beta) / Gamma(1/beta)), float32.

    Both tensors have one shape, which the result has too; alpha > 0, beta > 0. Computed
    by differences of log-Gamma: Gamma itself overflows float32 for beta under about 0.09.
    """
    with torch.autocast(device_type=alpha.device.type, enabled=False):
        alpha, beta = alpha.float(), beta.float()
        return alpha * torch.exp(_log_ratio(beta))


def gennorm_alpha(sigma: Tensor, beta: Tensor) -> Tensor:
    """Computes the scale alpha of a standard deviation: the inverse of `gennorm_sigma`, float32.

    Both tensors have one shape, which the result has too; sigma > 0, beta > 0.
    """
    with torch.autocast(device_type=sigma.device.type, enabled=False):
        sigma, beta = sigma.float(), beta.float()
        return sigma * torch.exp(-_log_ratio(beta))


def _log_ratio(beta: Tensor) -> Tensor:
    """ln(sigma / alpha)."""
    return 0.5 * (torch.lgamma(3.0 / beta) - torch.lgamma(1.0 / beta))
