"""The families of networks that can be trained: what a card calls them, and their objectives.

`dfsynth.inference.networks` says how a network of the same name is built and sampled.
"""

from dataclasses import dataclass
from typing import Any, Final

from dfsynth.checkpoint import (
    DIFFUSION_NETWORK,
    FLOW_NETWORK,
    NETWORK,
    CascadeConfig,
    DiffusionConfig,
    FlowConfig,
    NetworkConfig,
)
from dfsynth.inference.networks import FAMILIES
from dfsynth.models import TrainableNetwork
from dfsynth.train.cascade_objective import CascadeObjective
from dfsynth.train.denoising_objective import DenoisingObjective
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
    "Its uncertainty is that of its samples: the aleatoric map is their standard deviation, and "
    "the epistemic map is 0, since one network has no other to disagree with."
)
TRAINED: Final[dict[type[NetworkConfig], TrainedFamily]] = {
    CascadeConfig: TrainedFamily(NETWORK, CascadeObjective),
    DiffusionConfig: TrainedFamily(DIFFUSION_NETWORK, DenoisingObjective, _SAMPLES),
    FlowConfig: TrainedFamily(FLOW_NETWORK, DenoisingObjective, _SAMPLES),
}
"""Type of `[network]` in a recipe → its family."""


def family_of(config: NetworkConfig) -> TrainedFamily:
    """Finds the family of a recipe's network."""
    return TRAINED[type(config)]
