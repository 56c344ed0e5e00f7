"""States become flat and come back: what safetensors keeps restores an optimiser."""

import pytest
import torch
from torch import nn

from dfsynth.optimisation import flatten_state, restore_optimiser, state_part


def test_nested_names_are_joined_and_taken_apart() -> None:
    weight = torch.arange(6.0).reshape(2, 3)
    flat = flatten_state({"a": {"b": weight, 0: {"c": torch.ones(2)}}, "place": {"step": 3}})
    assert set(flat) == {"a.b", "a.0.c", "place.step"}
    assert torch.equal(state_part(flat, "a")["b"], weight)
    assert set(state_part(flat, "a.0")) == {"c"}
    assert int(state_part(flat, "place")["step"]) == 3
    assert not state_part(flat, "pla")


def test_a_flat_state_is_a_copy() -> None:
    weight = torch.zeros(3)
    flat = flatten_state({"a": {"b": weight}})
    weight += 1
    assert not flat["a.b"].any()


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW])
def test_an_optimiser_goes_on_as_if_it_had_not_stopped(kind: type[torch.optim.Adam]) -> None:
    def step(network: nn.Linear, optimiser: torch.optim.Optimizer) -> None:
        optimiser.zero_grad()
        network(torch.ones(1, 3)).square().sum().backward()
        optimiser.step()

    through, stopped = nn.Linear(3, 2), nn.Linear(3, 2)
    stopped.load_state_dict(through.state_dict())
    first, before = (kind(n.parameters(), 0.1) for n in (through, stopped))
    for _ in range(3):
        step(through, first)
        step(stopped, before)
    after = kind(stopped.parameters(), 0.1)
    flat = flatten_state({"optimiser": before.state_dict()["state"]})
    restore_optimiser(after, state_part(flat, "optimiser"))
    for _ in range(2):
        step(through, first)
        step(stopped, after)
    assert torch.equal(through.weight, stopped.weight)
    assert torch.equal(through.bias, stopped.bias)
