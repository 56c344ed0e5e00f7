"""Training of the small networks of the heads, several of one shape at once."""

from collections.abc import Callable
from itertools import pairwise
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from dfsynth.trust import Perceptron

_NETWORKS: Final = 4
_WIDTHS: Final = (64, 32)
_STEPS: Final = 1500
_BATCH: Final = 256
_RATE: Final = 2e-3
_DECAY: Final = 3e-3
_JITTER: Final = 0.3
"""Standard deviation of what is added to standardised inputs: few patients are easily known."""

Loss = Callable[[Tensor, Tensor], Tensor]
"""Outputs (networks, n, out) and indices of examples (networks, n) → a scalar."""


def train_perceptron(
    inputs: NDArray[np.float32],
    outputs: int,
    weights: NDArray[np.float64],
    loss: Loss,
    seed: int,
) -> Perceptron:
    """Trains on examples (n, in), drawn with probabilities `weights` (n).

    Each network draws its own batches and initial weights from `seed`.
    """
    random = torch.Generator().manual_seed(seed)
    known = torch.from_numpy(np.ascontiguousarray(inputs, np.float32))
    chances = torch.from_numpy(weights.astype(np.float64))
    sizes = (known.shape[1], *_WIDTHS, outputs)
    layers = [
        (
            nn.Parameter(torch.randn(_NETWORKS, a, b, generator=random) / a**0.5),
            nn.Parameter(torch.zeros(_NETWORKS, 1, b)),
        )
        for a, b in pairwise(sizes)
    ]
    parameters = [p for layer in layers for p in layer]
    optimiser = torch.optim.AdamW(parameters, _RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, _STEPS)
    for _ in range(_STEPS):
        drawn = torch.multinomial(chances, _NETWORKS * _BATCH, True, generator=random)
        chosen = drawn.view(_NETWORKS, _BATCH)
        hidden = known[chosen]
        hidden = hidden + _JITTER * torch.randn(hidden.shape, generator=random)
        for number, (weight, bias) in enumerate(layers):
            hidden = hidden @ weight + bias
            if number + 1 < len(layers):
                hidden = F.silu(hidden)
        optimiser.zero_grad()
        loss(hidden, chosen).backward()
        optimiser.step()
        schedule.step()
    return Perceptron(
        [weight.detach().numpy() for weight, _ in layers],
        [bias.detach().numpy() for _, bias in layers],
    )
