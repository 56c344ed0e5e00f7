"""What a checkpoint says of itself, read without torch."""

from dfsynth.checkpoint.card import (
    NETWORK,
    Backbone,
    CascadeConfig,
    Guidance,
    Likelihood,
    ModelCard,
    encode_card,
)
from dfsynth.checkpoint.files import (
    CARD,
    WEIGHTS,
    CheckpointFiles,
    checkpoint_path,
    read_checkpoint,
)

__all__ = [
    "CARD",
    "NETWORK",
    "WEIGHTS",
    "Backbone",
    "CascadeConfig",
    "CheckpointFiles",
    "Guidance",
    "Likelihood",
    "ModelCard",
    "checkpoint_path",
    "encode_card",
    "read_checkpoint",
]
