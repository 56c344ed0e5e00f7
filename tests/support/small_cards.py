"""Model cards of small networks."""

from dataclasses import replace
from typing import Any

from dfsynth.checkpoint import MEMBERS_NETWORK, NETWORK, MembersConfig, ModelCard, NetworkConfig
from dfsynth.records import IntensityWindow


def small_card(config: NetworkConfig, **changed: Any) -> ModelCard:
    """Gives the card of a network of `config`, with what `changed` says otherwise."""
    card = ModelCard(
        name="small",
        network=MEMBERS_NETWORK if isinstance(config, MembersConfig) else NETWORK,
        arguments=config,
        grid=(16, 16),
        intensity=IntensityWindow(),
        unit="1",
        window=(0.0, 1.0),
        license="Apache-2.0",
        intended_use="tests",
        limits="no trained weights",
        training_data=(),
    )
    return replace(card, **changed)
