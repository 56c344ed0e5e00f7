"""A procedural thorax: random anthropometry, posture and inspiration, drawn from numbers alone.

Organs are intervals of depth over the coronal plane, so that a voxel's share of an organ is
exact along the beam; bones and vessels are small volumes along curves.
"""

from dfsynth.simulation.phantom.body_shape import BodyParameters, Projection, Sex, draw_body
from dfsynth.simulation.phantom.thorax import PhantomAnatomy, PhantomFacts

__all__ = [
    "BodyParameters",
    "PhantomAnatomy",
    "PhantomFacts",
    "Projection",
    "Sex",
    "draw_body",
]
