"""Networks whose weights are all drawn, so that every head says something."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from dfsynth.checkpoint import CascadeConfig
from dfsynth.models import CascadeNetwork, Prediction, build_cascade

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


def set_weights(network: Network, phase: Callable[[int, str], float]) -> Network:
    """Sets all weights by a formula of each one's number and name: no library draws them."""
    with torch.no_grad():
        for number, (name, parameter) in enumerate(network.named_parameters()):
            index = np.arange(parameter.numel(), dtype=np.float64)
            wave = 0.27 * np.sin(1.7 * index + phase(number, name) + 0.3)
            parameter.copy_(torch.from_numpy(wave).view_as(parameter))
    return network.eval().requires_grad_(False)


def maps_of(prediction: Prediction) -> list[Tensor]:
    """Gives the maps that a prediction has."""
    maps = [prediction.mean, prediction.alpha, prediction.beta]
    return maps if prediction.lung_logit is None else [*maps, prediction.lung_logit]


def known_outputs(network: CascadeNetwork, width: int) -> list[float]:
    """Gives three values of each map of both stages, of a wave 16 pixels high."""
    y, x = np.mgrid[:16, :width]
    image = torch.from_numpy(0.5 + 0.4 * np.sin(0.5 * y + 0.2 * x * x / 24)).float()[None, None]
    masks = torch.ones(1, network.mask_width)
    masks[0, ::7] = 0
    first, second = network(image, masks)
    return [
        float(m[0, 0, row, column])
        for m in (*maps_of(first), *maps_of(second))
        for row, column in ((0, 0), (7, 11), (15, width - 1))
    ]
