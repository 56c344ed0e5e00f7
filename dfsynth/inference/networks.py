"""The families of networks as torch knows them: how one is built, and how one is sampled.

The names are those of `dfsynth.checkpoint.networks`, which says how a card describes them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from dfsynth.checkpoint import (
    DENOISER_MEMBERS_NETWORK,
    DIFFUSION_NETWORK,
    FLOW_NETWORK,
    MEMBERS_NETWORK,
    MUNIT_NETWORK,
    NETWORK,
)
from dfsynth.inference.generator import CascadeGenerator
from dfsynth.inference.map_generator import MapGenerator
from dfsynth.inference.sampling import SamplingGenerator
from dfsynth.models import (
    CascadeNetwork,
    Denoiser,
    DenoiserMembers,
    DiffusionNetwork,
    FlowNetwork,
    GeneratorNetwork,
    Members,
    Munit,
    build_cascade,
)


@dataclass(frozen=True, slots=True)
class NetworkFamily:
    """How networks of one name are made; configuration, network and sampler belong together."""

    build: Callable[[Any], GeneratorNetwork]
    """Configuration → network; ValueError for one that no network can have, UsageError where a
    library of an extra is missing."""
    sampler: Callable[..., MapGenerator] | None
    """Network, device, precision, number of samples, seed, heads for trust and mode, and by their
    names the card's `intensity` and, of networks that draw samples, the sampler's `settings` →
    generator; None where networks degrade and generate nothing."""


def _sample_cascade(network: CascadeNetwork, *how: Any, **intensity: Any) -> MapGenerator:
    return CascadeGenerator([network], *how, **intensity)


def _sample_members(network: Members, *how: Any, **intensity: Any) -> MapGenerator:
    spread = network.config.fast_spread
    return CascadeGenerator(network.cascades(), *how, fast_spread=spread, **intensity)


def _sample_denoiser(network: Denoiser, *how: Any, **more: Any) -> MapGenerator:
    return SamplingGenerator([network], *how, **more)


def _sample_denoisers(network: DenoiserMembers, *how: Any, **more: Any) -> MapGenerator:
    return SamplingGenerator(network.denoisers(), *how, **more)


FAMILIES: Final[dict[str, NetworkFamily]] = {
    NETWORK: NetworkFamily(build_cascade, _sample_cascade),
    MEMBERS_NETWORK: NetworkFamily(Members, _sample_members),
    DIFFUSION_NETWORK: NetworkFamily(DiffusionNetwork, _sample_denoiser),
    FLOW_NETWORK: NetworkFamily(FlowNetwork, _sample_denoiser),
    DENOISER_MEMBERS_NETWORK: NetworkFamily(DenoiserMembers, _sample_denoisers),
    MUNIT_NETWORK: NetworkFamily(Munit, None),
}
