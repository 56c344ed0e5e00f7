"""Training of the heads for trust: pairs under shift, other pictures → `TrustHeads`."""

from dfsynth.train.heads.examples import (
    MAP_SCORES,
    TARGETS,
    DescribingHeads,
    Examples,
    Picture,
    generate_examples,
)
from dfsynth.train.heads.fit import fit_heads
from dfsynth.train.heads.pictures import FRONTAL, PICTURES, picture_kinds
from dfsynth.train.heads.shifted import HELD_OUT_SHIFTS, SHIFTS, TruePicture, to_model_input

__all__ = [
    "FRONTAL",
    "HELD_OUT_SHIFTS",
    "MAP_SCORES",
    "PICTURES",
    "SHIFTS",
    "TARGETS",
    "DescribingHeads",
    "Examples",
    "Picture",
    "TruePicture",
    "fit_heads",
    "generate_examples",
    "picture_kinds",
    "to_model_input",
]
