"""What a checkpoint says of itself, read without torch."""

from dfsynth.checkpoint.card import ModelCard, encode_card
from dfsynth.checkpoint.cascade import NETWORK, Backbone, CascadeConfig, Guidance, Likelihood
from dfsynth.checkpoint.degraders import is_degrader, require_degrader, require_generator
from dfsynth.checkpoint.denoiser import (
    DENOISER_MEMBERS_NETWORK,
    DIFFUSION_NETWORK,
    FLOW_NETWORK,
    NOISE_LEVELS,
    AnyDenoiserConfig,
    DenoiserConfig,
    DenoiserMembersConfig,
    DiffusionConfig,
    FlowConfig,
)
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
from dfsynth.checkpoint.later_entries import leave_out_later
from dfsynth.checkpoint.members import MEMBERS_NETWORK, MembersConfig
from dfsynth.checkpoint.munit import MUNIT_NETWORK, MunitConfig
from dfsynth.checkpoint.networks import NetworkConfig
from dfsynth.checkpoint.packaged import (
    calibrated_checkpoints,
    checkpoints_with_scores,
    who_has_scores,
)
from dfsynth.checkpoint.sampling import choose_sampler, require_sampling

__all__ = [
    "CARD",
    "DENOISER_MEMBERS_NETWORK",
    "DIFFUSION_NETWORK",
    "FLOW_NETWORK",
    "MEMBERS_NETWORK",
    "MUNIT_NETWORK",
    "NETWORK",
    "NOISE_LEVELS",
    "SCORES",
    "SEMI_SYNTHETIC",
    "WEIGHTS",
    "AnyDenoiserConfig",
    "Backbone",
    "CalibrationRow",
    "CascadeConfig",
    "CheckpointFiles",
    "DenoiserConfig",
    "DenoiserMembersConfig",
    "DiffusionConfig",
    "FlowConfig",
    "Guidance",
    "Likelihood",
    "MembersConfig",
    "ModelCard",
    "MunitConfig",
    "NetworkConfig",
    "calibrated_checkpoints",
    "checkpoint_path",
    "checkpoints_with_scores",
    "choose_sampler",
    "encode_card",
    "is_degrader",
    "leave_out_later",
    "packaged_generators",
    "read_checkpoint",
    "require_degrader",
    "require_generator",
    "require_sampling",
    "who_has_scores",
]
