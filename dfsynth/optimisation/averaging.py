"""The moving average of a network's weights, which is better than the last of them."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def average_weights(network: nn.Module, decay: float) -> AveragedModel:
    """An exponential moving average of a network's weights, updated once a step by the caller.

    The decay rises to its value as (1 + n) / (10 + n) with the number n of updates, so that the
    average soon forgets the first weights, which were noise (TensorFlow's
    `ExponentialMovingAverage`, `num_updates`).

    Args:
        network: averaged over its parameters and its buffers, which are floating-point: running
            statistics of weights that are averaged are averages too.
        decay: share of the average that an update keeps, 0 to below 1.
    """

    def blend(averages: Sequence[Tensor], weights: Sequence[Tensor], updates: Tensor | int) -> None:
        seen = int(updates)
        kept = min(decay, (1 + seen) / (10 + seen))
        # One by one and in place: what lies between stays in the processor's cache.
        for average, weight in zip(averages, weights, strict=True):
            # Written so that weights that rest keep every bit.
            average.add_((weight - average).mul_(1 - kept))

    return AveragedModel(network, multi_avg_fn=blend, use_buffers=True)
