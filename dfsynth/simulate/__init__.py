"""Paired training data with known truth: images of drawn bodies, CT volumes, radiographs."""

from dfsynth.simulate.noise import dark_field_noise_sigma, transmission_from_display
from dfsynth.simulate.thickness import LungShape, lung_shape

__all__ = [
    "LungShape",
    "dark_field_noise_sigma",
    "lung_shape",
    "transmission_from_display",
]
