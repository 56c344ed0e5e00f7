"""What a checkpoint's heads for trust see of an image, and what they say of it: NumPy alone."""

from dfsynth.trust.evidence import Evidence, describe
from dfsynth.trust.heads import (
    BOUND_CONFIDENCE,
    OUTPUTS,
    Judge,
    Learned,
    Perceptron,
    Projection,
    TrustHeads,
)
from dfsynth.trust.heads_file import decode_heads, encode_heads

__all__ = [
    "BOUND_CONFIDENCE",
    "OUTPUTS",
    "Evidence",
    "Judge",
    "Learned",
    "Perceptron",
    "Projection",
    "TrustHeads",
    "decode_heads",
    "describe",
    "encode_heads",
]
