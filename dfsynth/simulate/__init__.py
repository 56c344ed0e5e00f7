"""Paired training data with known truth. So far: targets drawn over real radiographs.

These pairs are semi-synthetic: the radiograph is real, the dark-field image is drawn from a
simple form of the physics, so a network trained on them knows no more of a patient's lung than
the radiograph and the cohort means tell.
"""

from dfsynth.simulate.noise import dark_field_noise_sigma, transmission_from_display
from dfsynth.simulate.scattering import CohortScattering, draw_scattering
from dfsynth.simulate.thickness import LungShape, lung_shape

__all__ = [
    "CohortScattering",
    "LungShape",
    "dark_field_noise_sigma",
    "draw_scattering",
    "lung_shape",
    "transmission_from_display",
]
