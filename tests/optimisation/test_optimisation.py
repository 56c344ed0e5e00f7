"""What training loops keep: averaged weights, and states that are flattened and given back."""

import pytest
import torch
from torch import Tensor, nn

from dfsynth.optimisation import average_weights, flatten_state, restore_optimiser, state_part


def descend(weight: nn.Parameter, optimiser: torch.optim.Optimizer) -> None:
    optimiser.zero_grad()
    weight.square().sum().backward()
    optimiser.step()


def test_nested_states_become_names_with_dots() -> None:
    tensor = torch.arange(6.0).view(2, 3)
    flat = flatten_state({"a": {"b": 1, 0: {"c": tensor.T}}, "ab": {"x": True}})
    assert flat.keys() == {"a.b", "a.0.c", "ab.x"}
    assert torch.equal(flat["a.0.c"], tensor.T)
    assert flat["a.0.c"].is_contiguous()
    assert state_part(flat, "a").keys() == {"b", "0.c"}


def test_a_joined_state_does_not_follow_its_tensors() -> None:
    tensor = torch.zeros(3)
    flat = flatten_state({"a": {"b": tensor}})
    tensor += 1
    assert not flat["a.b"].any()


def test_a_restored_optimiser_goes_on_to_the_same_weights() -> None:
    steady = nn.Parameter(torch.tensor([1.0, -2.0]))
    optimiser = torch.optim.Adam([steady], 0.1)
    descend(steady, optimiser)
    kept = flatten_state({"optimiser": optimiser.state_dict()["state"]})
    restored = nn.Parameter(steady.detach().clone())
    other = torch.optim.Adam([restored], 0.1)
    restore_optimiser(other, state_part(kept, "optimiser"))
    for _ in range(3):
        descend(steady, optimiser)
        descend(restored, other)
    assert torch.equal(steady, restored)


@pytest.mark.parametrize("steps", [1, 2, 50])
def test_the_average_follows_its_formula(steps: int) -> None:
    network = nn.Linear(1, 1, bias=False)
    average = average_weights(network, 0.9)
    expected: Tensor | None = None
    for step in range(steps):
        with torch.no_grad():
            network.weight.fill_(float(step))
        average.update_parameters(network)
        if expected is None:
            # The first weights are taken as they are.
            expected = network.weight.detach().clone()
            continue
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * network.weight.detach()
    torch.testing.assert_close(average.module.weight.detach(), expected)


def test_weights_that_rest_keep_every_bit_of_their_average() -> None:
    network = nn.Linear(5, 5)
    average = average_weights(network, 0.995)
    for _ in range(20):
        average.update_parameters(network)
    assert torch.equal(average.module.weight, network.weight)
