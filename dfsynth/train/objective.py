"""What a generator and its discriminators are taught by: the weighted terms of one batch."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dfsynth.datasets import PairBatch
from dfsynth.models import Prediction
from dfsynth.train.amplification import Amplification, spatial_weights
from dfsynth.train.losses import (
    fidelity,
    least_squares_discriminator,
    least_squares_generator,
    residual_l1,
)
from dfsynth.train.recipe import LossWeights


def generator_terms(
    prediction: Prediction,
    batch: PairBatch,
    weights: LossWeights,
    likelihood: str,
    judge: nn.Module,
) -> dict[str, Tensor]:
    """The weighted terms of one stage's loss, scalars in float32; a term of weight 0 is left out.

    Upadhyay et al. 2021, equation 6, with the residual consistency of Felsner et al. 2026.
    """
    target = batch.dark_field
    terms = {
        "fidelity": weights.fidelity
        * fidelity(
            prediction,
            target,
            likelihood,
            weights.amplification,
            patch_weights(batch, weights.amplification),
            batch.content,
        )
    }
    if weights.residual:
        loss = residual_l1(prediction.mean, target, weights.residual_box, batch.content)
        terms["residual"] = weights.residual * loss
    if weights.adversarial:
        judged = judge(judged_input(prediction.mean, batch, weights.conditional))
        terms["adversarial"] = weights.adversarial * least_squares_generator(judged)
    if weights.lung and prediction.lung_logit is not None and batch.lung is not None:
        entropy = F.binary_cross_entropy_with_logits(
            prediction.lung_logit.float(), batch.lung, batch.lung_weight
        )
        terms["lung"] = weights.lung * entropy
    return terms


def discriminator_loss(
    means: Sequence[Tensor],
    judges: Sequence[nn.Module],
    batch: PairBatch,
    conditional: bool,
) -> Tensor:
    """Least squares over the stages: 1 for measured images, 0 for generated ones (equation 7)."""
    real = judged_input(batch.dark_field, batch, conditional)
    losses = []
    for mean, judge in zip(means, judges, strict=True):
        fake = judged_input(mean.detach(), batch, conditional)
        # In one pass: gradients that are shared between processes allow no second one.
        judged_real, judged_fake = judge(torch.cat([real, fake])).chunk(2)
        losses.append(least_squares_discriminator(judged_real, judged_fake))
    return torch.stack(losses).sum()


def patch_weights(batch: PairBatch, amplification: Amplification) -> Tensor | None:
    """A_S of the whole pictures cut as the patches were, (n, 1, H, W); None for whole pictures."""
    if batch.grid is None or batch.corners is None or amplification.kind == "none":
        return None
    whole = spatial_weights(amplification, *batch.grid, device=batch.image.device)[0]
    height, width = batch.image.shape[-2:]
    return torch.stack(
        [whole[:, top : top + height, left : left + width] for top, left in batch.corners.tolist()]
    )


def judged_input(dark_field: Tensor, batch: PairBatch, conditional: bool) -> Tensor:
    """What a discriminator sees: (n, 1, H, W), or (n, 2, H, W) with the radiograph first.

    Padding is 0, whatever a generator says there.
    """
    if batch.content is not None:
        dark_field = dark_field * batch.content
    return torch.cat([batch.image, dark_field], dim=1) if conditional else dark_field
