"""Networks only: no files, no global state, no randomness of their own."""

from dfsynth.models.cascade import Cascade, guide
from dfsynth.models.gennorm import gennorm_nll, gennorm_sigma
from dfsynth.models.heads import Prediction

__all__ = ["Cascade", "Prediction", "gennorm_nll", "gennorm_sigma", "guide"]
