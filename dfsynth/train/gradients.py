"""Gradients: whether they can be used, and how long they may be."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def clip_gradients(weights: Sequence[Tensor], largest_norm: float) -> bool:
    """Scales the gradients of weights of any shape together down to an L2 norm.

    `largest_norm` has the unit of the loss by that of the weights; 0 scales nothing.

    Returns:
        Whether their norm is finite; gradients that are not stay as they are.
    """
    gradients = [p.grad for p in weights if p.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    finite = bool(torch.isfinite(norm))
    if largest_norm and finite:
        nn.utils.clip_grads_with_norm_(list(weights), largest_norm, norm)
    return finite
