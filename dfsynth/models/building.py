"""Configuration → network: which of the cascades a backbone belongs to."""

from dfsynth.checkpoint import CascadeConfig
from dfsynth.models.cascade import Cascade
from dfsynth.models.cascade_network import CascadeNetwork
from dfsynth.models.coarse import CoarseCascade


def build_cascade(config: CascadeConfig) -> CascadeNetwork:
    """Builds one cascade with initial weights from torch's global generator.

    Raises:
        ValueError: the widths do not fit the backbone.
    """
    return CoarseCascade(config) if config.backbone == "coarse" else Cascade(config)
