"""Losses between what a discriminator sees in generated and in measured images.

All take features of the same layers, (n, width, h, w) each and fine first, of generated images and
of those that were measured. They are computed in float32.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def perceptual_distance(
    found: Sequence[Tensor], wanted: Sequence[Tensor], weights: Sequence[float]
) -> Tensor:
    """Computes the sum over layers j of weights[j] · mean |found[j] − wanted[j]|, a scalar.

    Wang et al., "Perceptual adversarial networks for image-to-image transformation", IEEE TIP 2018,
    equation 4; also the perceptual loss of Armanious et al., "MedGAN", 2020. Layers beyond the
    weights do not count.
    """
    terms = [
        weight * (f.float() - w.float()).abs().mean()
        for weight, f, w in zip(weights, found, wanted, strict=False)
    ]
    return torch.stack(terms).sum()


def margin_loss(distance: Tensor, margin: float) -> Tensor:
    """Computes max(0, margin − distance), a scalar, which a discriminator adds to its loss.

    Below the margin it looks for features that differ; above it the distance is large enough, and
    does not grow without bound. Wang et al. 2018, equation 6.
    """
    return torch.relu(margin - distance)


def style_distance(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """Computes the sum over layers of |G(found) − G(wanted)|² / (4 width²), a scalar.

    The squared Frobenius norm between Gram matrices, averaged over the images: Armanious et al.,
    "MedGAN", Computerized Medical Imaging and Graphics 2020, after Gatys et al., CVPR 2016.
    """
    terms = [
        (gram(f) - gram(w)).square().sum(dim=(1, 2)).mean() / (4 * f.shape[1] ** 2)
        for f, w in zip(found, wanted, strict=True)
    ]
    return torch.stack(terms).sum()


def gram(features: Tensor) -> Tensor:
    """Computes products of channels averaged over pixels, and over the width: (n, width, width)."""
    flat = features.float().flatten(2)
    width, pixels = flat.shape[1:]
    return flat @ flat.transpose(1, 2) / (width * pixels)
