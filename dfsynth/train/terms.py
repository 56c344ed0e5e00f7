"""The weighted terms of the losses of a cascade and of its discriminators, of one batch."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dfsynth.datasets import PairBatch
from dfsynth.models import Prediction
from dfsynth.train.amplification import Amplification, spatial_weights
from dfsynth.train.feature_losses import margin_loss, perceptual_distance, style_distance
from dfsynth.train.losses import (
    absolute_error,
    fidelity,
    least_squares_discriminator,
    least_squares_generator,
    residual_l1,
    width_likelihood,
)
from dfsynth.train.recipe import LossWeights


def generator_terms(
    prediction: Prediction,
    batch: PairBatch,
    weights: LossWeights,
    likelihood: str,
    discriminator: nn.Module,
) -> dict[str, Tensor]:
    """Computes the weighted terms of one stage's loss by name, scalars in float32.

    Maps of prediction and batch are (n, 1, H, W). A term of weight 0 is left out, and that of the
    lung where prediction or batch has none. Upadhyay et al. 2021, equation 6, with the residual
    consistency of Felsner et al. 2026.
    """
    target = batch.target
    if weights.fidelity:
        loss = fidelity(
            prediction,
            target,
            likelihood,
            weights.amplification,
            patch_weights(batch, weights.amplification),
            batch.content,
            weights.misfit,
            weights.beta_nll,
        )
        terms = {"fidelity": weights.fidelity * loss}
        if weights.absolute:
            error = absolute_error(prediction, target, batch.content)
            terms["absolute"] = weights.absolute * error
    else:
        terms = {"width": width_likelihood(prediction, target, batch.content)}
    if weights.residual:
        loss = residual_l1(prediction.mean, target, weights.residual_box, batch.content)
        terms["residual"] = weights.residual * loss
    if weights.adversarial:
        seen = discriminator(discriminator_input(prediction.mean, batch, weights.conditional))
        terms["adversarial"] = weights.adversarial * least_squares_generator(seen.scores)
        terms |= feature_terms(seen.features, batch, weights, discriminator)
    if weights.lung and prediction.lung_logit is not None and batch.lung is not None:
        entropy = F.binary_cross_entropy_with_logits(
            prediction.lung_logit.float(), batch.lung, batch.lung_weight
        )
        terms["lung"] = weights.lung * entropy
    return terms


def feature_terms(
    found: Sequence[Tensor], batch: PairBatch, weights: LossWeights, discriminator: nn.Module
) -> dict[str, Tensor]:
    """Computes the weighted terms of a discriminator's features `found`, float32 scalars by name.

    They are (n, width, h, w) each, of the generated images; no gradient flows through what it sees
    of the measured ones.
    """
    if not (weights.perceptual or weights.style):
        return {}
    with torch.no_grad():
        real = discriminator_input(batch.target, batch, weights.conditional)
        wanted = discriminator(real).features
    terms = {}
    if weights.perceptual:
        terms["perceptual"] = perceptual_distance(found, wanted, weights.perceptual)
    if weights.style:
        terms["style"] = weights.style * style_distance(found, wanted)
    return terms


def discriminator_loss(
    means: Sequence[Tensor],
    discriminators: Sequence[nn.Module],
    batch: PairBatch,
    weights: LossWeights,
) -> Tensor:
    """Sums the discriminators' losses over the stages, a float32 scalar.

    Least squares, 1 for measured and 0 for generated images: Upadhyay et al. 2021, equation 7; with
    a margin, that of perceptual adversarial networks too. `means` has a map (n, 1, H, W) for each
    discriminator; no gradient flows into it.
    """
    real = discriminator_input(batch.target, batch, weights.conditional)
    losses = []
    for mean, discriminator in zip(means, discriminators, strict=True):
        fake = discriminator_input(mean.detach(), batch, weights.conditional)
        # In one pass: gradients that are shared between processes allow no second one.
        seen = discriminator(torch.cat([real, fake]))
        scores_real, scores_fake = seen.scores.chunk(2)
        losses.append(least_squares_discriminator(scores_real, scores_fake))
        if weights.margin:
            halves = [features.chunk(2) for features in seen.features]
            distance = perceptual_distance(
                [f for _, f in halves], [r for r, _ in halves], weights.perceptual
            )
            losses.append(margin_loss(distance, weights.margin))
    return torch.stack(losses).sum()


def patch_weights(batch: PairBatch, amplification: Amplification) -> Tensor | None:
    """Cuts A_S of the whole images as the patches were cut, (n, 1, H, W); None for whole images."""
    if batch.grid is None or batch.corners is None or amplification.kind == "none":
        return None
    whole = spatial_weights(amplification, *batch.grid, device=batch.image.device)[0]
    height, width = batch.image.shape[-2:]
    return torch.stack(
        [whole[:, top : top + height, left : left + width] for top, left in batch.corners.tolist()]
    )


def discriminator_input(dark_field: Tensor, batch: PairBatch, conditional: bool) -> Tensor:
    """Makes what a discriminator sees of dark-field images (n, 1, H, W).

    That is (n, 1, H, W), or (n, 2, H, W) with the radiograph first where it is conditional.
    Padding is 0, whatever a generator predicts there.
    """
    if batch.content is not None:
        dark_field = dark_field * batch.content
    return torch.cat([batch.image, dark_field], dim=1) if conditional else dark_field
