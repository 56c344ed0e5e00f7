"""Losses of the uncertainty-guided progressive GAN."""

import torch.nn.functional as F
from torch import Tensor


def least_squares_generator(judged: Tensor) -> Tensor:
    """mean (D(b) − 1)²: Upadhyay et al. 2021, equation 6; `judged` is any shape."""
    return (judged.float() - 1).square().mean()


def least_squares_discriminator(judged_real: Tensor, judged_fake: Tensor) -> Tensor:
    """mean (D(y) − 1)² + mean D(b)²: Upadhyay et al. 2021, equation 7."""
    return (judged_real.float() - 1).square().mean() + judged_fake.float().square().mean()


def residual_l1(mean: Tensor, target: Tensor, box: int) -> Tensor:
    """L1 between the high-pass residuals of prediction and target, (n, 1, H, W).

    Residual consistency of Felsner et al. 2026: residual = image − box-blurred image. The paper
    gives no box size; `box` is an odd number of pixels.
    """
    return F.l1_loss(_residual(mean.float(), box), _residual(target.float(), box))


def _residual(image: Tensor, box: int) -> Tensor:
    padded = F.pad(image, (box // 2,) * 4, mode="reflect")
    return image - F.avg_pool2d(padded, box, stride=1)
