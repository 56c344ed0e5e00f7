"""Networks only: no files, no global state, no randomness of their own."""

from dfsynth.models.building import build_cascade
from dfsynth.models.cascade import Cascade
from dfsynth.models.cascade_network import CascadeNetwork, Moments, PreparedImages
from dfsynth.models.coarse import CoarseCascade
from dfsynth.models.denoiser import NO_INPUT, Denoiser, DiffusionNetwork, FlowNetwork
from dfsynth.models.gennorm import gennorm_nll, gennorm_sigma
from dfsynth.models.guidance import guide
from dfsynth.models.heads import Prediction
from dfsynth.models.members import DenoiserMembers, Members
from dfsynth.models.munit import Munit, MunitImages
from dfsynth.models.network import DegradingNetwork, GeneratorNetwork, TrainableNetwork

__all__ = [
    "NO_INPUT",
    "Cascade",
    "CascadeNetwork",
    "CoarseCascade",
    "DegradingNetwork",
    "Denoiser",
    "DenoiserMembers",
    "DiffusionNetwork",
    "FlowNetwork",
    "GeneratorNetwork",
    "Members",
    "Moments",
    "Munit",
    "MunitImages",
    "Prediction",
    "PreparedImages",
    "TrainableNetwork",
    "build_cascade",
    "gennorm_nll",
    "gennorm_sigma",
    "guide",
]
