"""The moving average: its decay rises, and weights that rest keep every bit."""

import pytest
import torch
from torch import nn

from dfsynth.optimisation import average_weights


def test_the_average_follows_the_weights_by_the_rising_decay() -> None:
    network = nn.Linear(1, 1, bias=False)
    average = average_weights(network, 0.5)
    expected: float | None = None
    for step, value in enumerate([1.0, 3.0, -2.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 0.0]):
        nn.init.constant_(network.weight, value)
        average.update_parameters(network)
        # The first update copies; from then on (1 + n) / (10 + n) rises up to the decay.
        decay = min(0.5, (1 + step) / (10 + step))
        expected = value if expected is None else decay * expected + (1 - decay) * value
        assert average.module.get_parameter("weight").item() == pytest.approx(expected, rel=1e-5)


def test_weights_that_rest_stay_as_they_are() -> None:
    network = nn.Linear(7, 5)
    average = average_weights(network, 0.995)
    for _ in range(50):
        average.update_parameters(network)
    for name, weight in network.state_dict().items():
        assert torch.equal(average.module.state_dict()[name], weight)


def test_an_update_has_the_bits_of_its_formula() -> None:
    torch.manual_seed(0)
    network = nn.Linear(7, 5)
    average = average_weights(network, 0.9)
    average.update_parameters(network)
    for step in range(1, 20):
        before = average.module.get_parameter("weight").detach().clone()
        nn.init.normal_(network.weight)
        average.update_parameters(network)
        kept = min(0.9, (1 + step) / (10 + step))
        expected = before + (1 - kept) * (network.weight - before)
        assert torch.equal(average.module.get_parameter("weight"), expected)
