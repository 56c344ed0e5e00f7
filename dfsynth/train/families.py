"""The families of networks that can be trained: what a card calls them, and their objectives.

`dfsynth.inference.networks` says how a network of the same name is built and sampled.
"""

from dataclasses import dataclass
from typing import Any, Final

from dfsynth.checkpoint import (
    DIFFUSION_NETWORK,
    FLOW_NETWORK,
    MUNIT_NETWORK,
    NETWORK,
    CascadeConfig,
    DiffusionConfig,
    FlowConfig,
    MunitConfig,
    NetworkConfig,
    is_degrader,
)
from dfsynth.inference.networks import FAMILIES
from dfsynth.models import TrainableNetwork
from dfsynth.train.cascade_objective import CascadeObjective
from dfsynth.train.denoising_objective import DenoisingObjective, DomainDenoisingObjective
from dfsynth.train.munit_objective import MunitObjective
from dfsynth.train.objective import Objective


@dataclass(frozen=True, slots=True)
class TrainedFamily:
    """How networks of one kind of configuration are trained."""

    network: str
    """Their name in a card and in `dfsynth.inference.networks`."""
    objective: type[Objective[Any]]
    """What is called with recipe, network, device and processes."""
    limits: str = ""
    """What a card says of networks of this kind beside what it says of all."""

    def build(self, config: NetworkConfig) -> TrainableNetwork:
        """Builds a network with initial weights from torch's global generator.

        Raises:
            ValueError: no network can have this configuration.
            UsageError: a library of an extra is not installed.
        """
        network = FAMILIES[self.network].build(config)
        assert isinstance(network, TrainableNetwork)
        return network


_SAMPLES: Final = (
    "Its uncertainty is that of its samples: the aleatoric map is their standard deviation within "
    "a network, the epistemic map that between networks, which is 0 of one alone."
)
_DEGRADES: Final = (
    "It is a degrader: it makes low-quality partners of good radiographs by what it has seen of "
    "both collections, may change or invent what they show, and is no generator."
)
TRAINED: Final[dict[type[NetworkConfig], TrainedFamily]] = {
    CascadeConfig: TrainedFamily(NETWORK, CascadeObjective),
    DiffusionConfig: TrainedFamily(DIFFUSION_NETWORK, DenoisingObjective, _SAMPLES),
    FlowConfig: TrainedFamily(FLOW_NETWORK, DenoisingObjective, _SAMPLES),
    MunitConfig: TrainedFamily(MUNIT_NETWORK, MunitObjective, _DEGRADES),
}
"""Type of `[network]` in a recipe → its family."""
_WITHOUT_CONDITION: Final = TrainedFamily(DIFFUSION_NETWORK, DomainDenoisingObjective, _DEGRADES)


def family_of(config: NetworkConfig) -> TrainedFamily:
    """Finds the family of a recipe's network."""
    if isinstance(config, DiffusionConfig) and is_degrader(config):
        return _WITHOUT_CONDITION
    return TRAINED[type(config)]
