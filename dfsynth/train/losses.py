"""Losses of the uncertainty-guided progressive GAN."""

import torch
import torch.nn.functional as F
from torch import Tensor

from dfsynth.models import Prediction, gennorm_nll
from dfsynth.models.gennorm import gennorm_misfit
from dfsynth.models.heads import QUANTILES
from dfsynth.train.amplification import NO_AMPLIFICATION, Amplification, amplify, amplify_spectrum
from dfsynth.train.recipe import MISFIT_LIKELIHOODS, Misfit

_TINY = torch.finfo(torch.float32).tiny
_WEIGH_THE_MISFIT = frozenset({"absolute_frequency", "residual_frequency"})


def fidelity(
    prediction: Prediction,
    target: Tensor,
    likelihood: str,
    amplification: Amplification = NO_AMPLIFICATION,
    spatial: Tensor | None = None,
    content: Tensor | None = None,
    misfit: Misfit = "l1",
    beta_nll: float = 0.0,
) -> Tensor:
    """Averages the pixel-wise loss of one stage against target (n, 1, H, W): a float32 scalar.

    Negative log-likelihood of the generalised Gaussian without ln 2 (Upadhyay et al. 2021,
    equation 4), with the prediction's own shape: Laplace and Gaussian are its cases. For `point`:
    L1 or L2 of the mean (`misfit`), plus the likelihood of the one width with the mean held fixed,
    so that the width changes nothing of the mean's gradient. For `quantile`: the same misfit, plus
    the pinball losses of both quantiles (Angelopoulos et al. 2022), likewise of a mean held fixed.

    With `beta_nll` pixels of a likelihood weigh sigma^(2 · beta_nll), held fixed, over its mean in
    the image (beta-NLL: Seitzer et al., "On the pitfalls of heteroscedastic uncertainty estimation
    with probabilistic neural networks", ICLR 2022). Under the likelihood itself the mean has nearly
    no gradient where sigma is large; at 1 that of a Gaussian is as of squared errors.

    `content` (n, 1, H, W) is 1 where there is an image, 0 in padding, which counts for nothing.

    The amplification weighs the map of this loss; `spatial`, (1 or n, 1, H, W), is its A_S for
    patches (`amplify`). The kinds `absolute_frequency` and `residual_frequency` weigh the misfit
    that moves the mean, and alpha and beta are trained on the plain likelihood: weighted residuals
    are larger than those that a sigma must describe, and a negative likelihood has no use for an
    absolute value.
    """
    if likelihood not in MISFIT_LIKELIHOODS and amplification.kind not in _WEIGH_THE_MISFIT:
        loss = gennorm_nll(prediction.mean, prediction.alpha, prediction.beta, target)
        if beta_nll:
            loss = loss * _width_weights(prediction, beta_nll, content)
        return _amplified_mean(loss, amplification, spatial, content)
    mean = prediction.mean.float()
    residual = mean - target.float()
    if amplification.kind == "residual_frequency":
        residual = amplify_spectrum(_inside(residual, content), amplification)
    if likelihood in MISFIT_LIKELIHOODS:
        loss = residual.abs() if misfit == "l1" else residual.square()
    else:
        loss = gennorm_misfit(residual, prediction.alpha.detach(), prediction.beta.detach())
    if likelihood == "quantile":
        spread = pinball(prediction, target, content)
    else:
        spread = width_likelihood(prediction, target, content)
    return _amplified_mean(loss, amplification, spatial, content) + spread


def absolute_error(prediction: Prediction, target: Tensor, content: Tensor | None) -> Tensor:
    """Averages |mean - target|, target (n, 1, H, W): a float32 scalar; `content` as for `fidelity`.

    The text of Upadhyay et al. 2021 (equation 6) has the likelihood alone; the authors' published
    code (github.com/ExplainableML/UncerGuidedI2I, src/utils.py) trains by this with weights of 1,
    0.5 and 0.1 in three periods, beside the likelihood with 0.0001, 0.001 and 0.01.
    """
    return mean_over((prediction.mean.float() - target.float()).abs(), content)


def _width_weights(prediction: Prediction, beta_nll: float, content: Tensor | None) -> Tensor:
    """Weights (n, 1, H, W) of the pixels, 1 on average over each image, through which no gradient
    flows."""
    weights = prediction.sigma.detach() ** (2 * beta_nll)
    counted = torch.ones_like(weights) if content is None else content
    total, area = ((values * counted).sum((1, 2, 3), keepdim=True) for values in (weights, counted))
    # A patch may be all padding, which counts for nothing and must not be 0 / 0.
    return weights * area / total.clamp_min(_TINY)


def pinball(prediction: Prediction, target: Tensor, content: Tensor | None) -> Tensor:
    """Sums the averages of both quantiles' pinball losses of target (n, 1, H, W): a float32 scalar.

    max(q r, (q - 1) r) of the residual r = target - quantile (Koenker & Bassett, Econometrica
    1978), least in expectation where a share q of the targets lies below. The mean is held fixed,
    so that it is what its misfit makes it. `content` as for `fidelity`.
    """
    assert prediction.widths is not None
    below, above = prediction.widths.float().chunk(2, dim=1)
    error = target.float() - prediction.mean.float().detach()
    losses = [
        torch.maximum(level * residual, (level - 1) * residual)
        for level, residual in zip(QUANTILES, (error + below, error - above), strict=True)
    ]
    return mean_over(torch.cat(losses, dim=1).sum(dim=1, keepdim=True), content)


def width_likelihood(prediction: Prediction, target: Tensor, content: Tensor | None) -> Tensor:
    """Averages the negative log-likelihood of target (n, 1, H, W) with the mean held fixed.

    A float32 scalar that trains the width alone. `content` as for `fidelity`.
    """
    mean = prediction.mean.float().detach()
    return mean_over(gennorm_nll(mean, prediction.alpha, prediction.beta, target), content)


def mean_over(values: Tensor, content: Tensor | None) -> Tensor:
    """Averages (n, 1, H, W) over the pixels where `content` is 1, or over all: a scalar.

    Over each image, then over the images: a batch split over several processes has one mean.
    """
    if content is None:
        return values.mean()
    return _sum_over_area(values * content, content)


def least_squares_generator(scores: Tensor) -> Tensor:
    """Computes mean (D(b) − 1)², a float32 scalar, of a discriminator's scores of any shape.

    Upadhyay et al. 2021, equation 6.
    """
    return (scores.float() - 1).square().mean()


def least_squares_discriminator(scores_real: Tensor, scores_fake: Tensor) -> Tensor:
    """Computes mean (D(y) − 1)² + mean D(b)², a float32 scalar, of scores of any shape.

    Upadhyay et al. 2021, equation 7.
    """
    return (scores_real.float() - 1).square().mean() + scores_fake.float().square().mean()


def residual_l1(mean: Tensor, target: Tensor, box: int, content: Tensor | None = None) -> Tensor:
    """Computes L1 between the high-pass residuals of two maps (n, 1, H, W): a float32 scalar.

    Residual consistency of Felsner et al. 2026: residual = image − box-blurred image. The paper
    gives no box size; `box` is an odd number of pixels. `content` as for `fidelity`.
    """
    # Residuals are linear, so that of the difference is the difference of both.
    difference = _inside(mean.float() - target.float(), content)
    return mean_over(_residual(difference, box).abs(), content)


def _amplified_mean(
    loss: Tensor, amplification: Amplification, spatial: Tensor | None, content: Tensor | None
) -> Tensor:
    """The mean of the amplified map over the pixels where `content` is 1.

    A transform spreads each pixel over all: padding is made 0 before it, and not left out after.
    """
    amplified = amplify(_inside(loss, content), amplification, spatial)
    if content is None or amplification.kind in _WEIGH_THE_MISFIT:
        return mean_over(amplified, content)
    return _sum_over_area(amplified, content)


def _inside(values: Tensor, content: Tensor | None) -> Tensor:
    return values if content is None else values * content


def _sum_over_area(values: Tensor, content: Tensor) -> Tensor:
    area = content.sum(dim=(1, 2, 3)).clamp_min(1)
    return (values.sum(dim=(1, 2, 3)) / area).mean()


def _residual(image: Tensor, box: int) -> Tensor:
    padded = F.pad(image, (box // 2,) * 4, mode="reflect")
    return image - F.avg_pool2d(padded, box, stride=1)
