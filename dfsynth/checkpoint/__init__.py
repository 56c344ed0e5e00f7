"""What a checkpoint says of itself, read without torch."""

from dfsynth.checkpoint.card import ModelCard, encode_card
from dfsynth.checkpoint.cascade import NETWORK, Backbone, CascadeConfig, Guidance, Likelihood
from dfsynth.checkpoint.error_calibration import SEMI_SYNTHETIC, CalibrationRow
from dfsynth.checkpoint.files import (
    CARD,
    SCORES,
    WEIGHTS,
    CheckpointFiles,
    checkpoint_path,
    packaged_generators,
    read_checkpoint,
)
from dfsynth.checkpoint.members import MEMBERS_NETWORK, MembersConfig
from dfsynth.checkpoint.networks import NetworkConfig
from dfsynth.checkpoint.packaged import checkpoints_with_scores

__all__ = [
    "CARD",
    "MEMBERS_NETWORK",
    "NETWORK",
    "SCORES",
    "SEMI_SYNTHETIC",
    "WEIGHTS",
    "Backbone",
    "CalibrationRow",
    "CascadeConfig",
    "CheckpointFiles",
    "Guidance",
    "Likelihood",
    "MembersConfig",
    "ModelCard",
    "NetworkConfig",
    "checkpoint_path",
    "checkpoints_with_scores",
    "encode_card",
    "packaged_generators",
    "read_checkpoint",
]
