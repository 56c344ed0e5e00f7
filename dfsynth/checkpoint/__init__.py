"""What a checkpoint says of itself, read without torch."""

from dfsynth.checkpoint.card import (
    CARD,
    NETWORK,
    WEIGHTS,
    CascadeConfig,
    CheckpointFiles,
    ModelCard,
    checkpoint_path,
    encode_card,
    read_checkpoint,
)

__all__ = [
    "CARD",
    "NETWORK",
    "WEIGHTS",
    "CascadeConfig",
    "CheckpointFiles",
    "ModelCard",
    "checkpoint_path",
    "encode_card",
    "read_checkpoint",
]
