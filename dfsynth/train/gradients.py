"""Gradients: whether they can be used, and how long they may be."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def clip_gradients(weights: Sequence[Tensor], largest_norm: float) -> bool:
    """Scales the gradients of weights of any shape together down to an L2 norm.

    `largest_norm` has the unit of the loss by that of the weights; 0 scales nothing. Gradients that
    are finite, but whose squares float32 cannot hold, are scaled down like all others: a likelihood
    has such where one pixel lies far outside what was thought of it, and a step that is left out
    for them would be left out for ever.

    Returns:
        Whether they can be used; gradients that cannot stay as they are.
    """
    gradients = [p.grad for p in weights if p.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    finite = bool(torch.isfinite(norm))
    if not largest_norm:
        return finite
    if finite:
        nn.utils.clip_grads_with_norm_(list(weights), largest_norm, norm)
        return True
    largest = nn.utils.get_total_norm(gradients, norm_type=torch.inf)
    if not torch.isfinite(largest):
        return False
    for gradient in gradients:
        gradient.div_(largest)
    share = largest_norm / nn.utils.get_total_norm(gradients)
    for gradient in gradients:
        gradient.mul_(share)
    return True
