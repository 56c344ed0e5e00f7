"""Several networks as one: their weights lie in one file and their samples are pooled."""

from typing import cast

from torch import nn

from dfsynth.checkpoint import DenoiserMembersConfig, MembersConfig
from dfsynth.models.building import build_cascade
from dfsynth.models.cascade_network import CascadeNetwork
from dfsynth.models.denoiser import Denoiser, build_denoiser
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


class DenoiserMembers(GeneratorNetwork):
    """A deep ensemble of denoisers of one configuration."""

    config: DenoiserMembersConfig

    def __init__(self, config: DenoiserMembersConfig) -> None:
        """Builds the members with initial weights from torch's global generator.

        Raises:
            UsageError: MONAI or einops is not installed.
        """
        super().__init__()
        self.config = config
        self.members = nn.ModuleList(build_denoiser(config.network) for _ in range(config.members))

    def denoisers(self) -> list[Denoiser]:
        """Gives the members."""
        return [cast(Denoiser, member) for member in self.members]
