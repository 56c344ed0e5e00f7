"""Networks whose weights are all drawn, so that every head says something."""

from typing import Any, TypeVar

import torch
from torch import nn

from dfsynth.checkpoint import CascadeConfig
from dfsynth.models import CascadeNetwork, build_cascade

Network = TypeVar("Network", bound=nn.Module)


def draw_weights(network: Network, seed: int = 0) -> Network:
    """Draws all weights anew; the network is in evaluation mode."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=random) * 0.15)
    return network.eval()


def drawn_cascade(
    stages: int = 2, widths: tuple[int, ...] = (8, 16), seed: int = 0, **choices: Any
) -> CascadeNetwork:
    """Gives a small cascade, of `choices` of its configuration, that needs no gradient."""
    network = build_cascade(CascadeConfig(stages, widths, **choices))
    return draw_weights(network, seed).requires_grad_(False)
