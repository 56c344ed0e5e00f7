"""The families of networks as torch knows them: how one is built, and how one is sampled.

The names are those of `dfsynth.checkpoint.networks`, which says how a card describes them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from dfsynth.checkpoint import MEMBERS_NETWORK, NETWORK
from dfsynth.inference.generator import CascadeGenerator
from dfsynth.inference.map_generator import MapGenerator
from dfsynth.models import GeneratorNetwork, Members, build_cascade


@dataclass(frozen=True, slots=True)
class NetworkFamily:
    """How networks of one name are made; configuration, network and sampler belong together."""

    build: Callable[[Any], GeneratorNetwork]
    """Configuration → network; ValueError for one that no network can have."""
    sampler: Callable[..., MapGenerator]
    """Network, device, precision, number of samples, seed, heads for trust and mode → generator."""


FAMILIES: Final[dict[str, NetworkFamily]] = {
    NETWORK: NetworkFamily(build_cascade, lambda network, *how: CascadeGenerator([network], *how)),
    MEMBERS_NETWORK: NetworkFamily(
        Members,
        lambda network, *how: CascadeGenerator(
            network.cascades(), *how, network.config.fast_spread
        ),
    ),
}
