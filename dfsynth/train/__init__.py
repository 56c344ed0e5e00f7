"""Training: examples, augmentation, losses, the loop and the calibration of its result."""

from dfsynth.train.augment import Augmentation
from dfsynth.train.examples import Example, Radiograph, draw_example
from dfsynth.train.loop import CascadeTrainer, Phase, Weights
from dfsynth.train.losses import least_squares_discriminator, least_squares_generator, residual_l1

__all__ = [
    "Augmentation",
    "CascadeTrainer",
    "Example",
    "Phase",
    "Radiograph",
    "Weights",
    "draw_example",
    "least_squares_discriminator",
    "least_squares_generator",
    "residual_l1",
]
