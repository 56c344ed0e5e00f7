"""Which network a configuration becomes: a cascade of its backbone, or several."""

from typing import get_args

import pytest
import torch

from dfsynth.checkpoint import Backbone, CascadeConfig, MembersConfig
from dfsynth.models import Cascade, CoarseCascade, Members, build_cascade


@pytest.mark.parametrize("backbone", get_args(Backbone))
def test_a_backbone_belongs_to_one_kind_of_cascade(backbone: Backbone) -> None:
    config = CascadeConfig(2, (8, 16), backbone=backbone)
    network = build_cascade(config)
    assert network.config == config
    assert type(network) is (CoarseCascade if backbone == "coarse" else Cascade)


def members(count: int = 3) -> Members:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return Members(MembersConfig(count, CascadeConfig(2, (8, 16), backbone="coarse")))


def test_members_have_one_configuration_and_weights_of_their_own() -> None:
    network = members()
    assert [cascade.config for cascade in network.cascades()] == [network.config.cascade] * 3
    weights = [
        cascade.state_dict()["stages.0.encoder.stem.weight"] for cascade in network.cascades()
    ]
    assert not any(torch.equal(weights[a], weights[b]) for a, b in ((0, 1), (0, 2), (1, 2)))


def test_the_weights_of_a_member_are_named_by_its_place() -> None:
    network = members()
    expected = {
        f"members.{place}.{name}": weight
        for place, cascade in enumerate(network.cascades())
        for name, weight in cascade.state_dict().items()
    }
    state = network.state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], weight) for name, weight in expected.items())


def test_initial_weights_come_from_the_global_generator_alone() -> None:
    first, second = members().state_dict(), members().state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_widths_that_fit_no_cascade_fit_no_members() -> None:
    with pytest.raises(ValueError, match="at least two widths, each a multiple of 8"):
        Members(MembersConfig(2, CascadeConfig(2, (8, 12), backbone="coarse")))
