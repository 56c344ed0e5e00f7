"""Networks only: no files, no global state, no randomness of their own."""

from dfsynth.models.cascade import Cascade, guide
from dfsynth.models.gennorm import gennorm_nll, gennorm_sigma
from dfsynth.models.heads import Prediction
from dfsynth.models.network import GeneratorNetwork

__all__ = [
    "Cascade",
    "GeneratorNetwork",
    "Prediction",
    "gennorm_nll",
    "gennorm_sigma",
    "guide",
]
