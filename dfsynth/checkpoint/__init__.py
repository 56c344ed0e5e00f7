"""What a checkpoint says of itself, read without torch."""

from dfsynth.checkpoint.card import ModelCard, encode_card
from dfsynth.checkpoint.cascade import NETWORK, Backbone, CascadeConfig, Guidance, Likelihood
from dfsynth.checkpoint.error_calibration import SEMI_SYNTHETIC, CalibrationRow
from dfsynth.checkpoint.files import (
    CARD,
    WEIGHTS,
    CheckpointFiles,
    checkpoint_path,
    packaged_generators,
    read_checkpoint,
)
from dfsynth.checkpoint.networks import NetworkConfig

__all__ = [
    "CARD",
    "NETWORK",
    "SEMI_SYNTHETIC",
    "WEIGHTS",
    "Backbone",
    "CalibrationRow",
    "CascadeConfig",
    "CheckpointFiles",
    "Guidance",
    "Likelihood",
    "ModelCard",
    "NetworkConfig",
    "checkpoint_path",
    "encode_card",
    "packaged_generators",
    "read_checkpoint",
]
