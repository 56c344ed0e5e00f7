"""Several cascades as one network: their weights lie in one file and their samples are pooled."""

from typing import cast

from torch import nn

from dfsynth.checkpoint import MembersConfig
from dfsynth.models.building import build_cascade
from dfsynth.models.cascade_network import CascadeNetwork
from dfsynth.models.network import GeneratorNetwork


class Members(GeneratorNetwork):
    """A deep ensemble (Lakshminarayanan et al., NeurIPS 2017) of cascades of one configuration."""

    config: MembersConfig

    def __init__(self, config: MembersConfig) -> None:
        """Builds the members with initial weights from torch's global generator.

        Raises:
            ValueError: the widths do not fit the backbone.
        """
        super().__init__()
        self.config = config
        self.members = nn.ModuleList(build_cascade(config.cascade) for _ in range(config.members))

    def cascades(self) -> list[CascadeNetwork]:
        """Gives the members."""
        return [cast(CascadeNetwork, member) for member in self.members]
