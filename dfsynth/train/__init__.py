"""Training: recipes, losses, the loop, and what a run keeps."""

from dfsynth.train.augment import Augmentation
from dfsynth.train.estimate import TrainEstimate, estimate_training
from dfsynth.train.examples import Example, Radiograph, draw_example
from dfsynth.train.loop import CascadeTrainer, Phase, Weights
from dfsynth.train.losses import (
    fidelity,
    least_squares_discriminator,
    least_squares_generator,
    residual_l1,
)
from dfsynth.train.progress import SilentTraining, TrainProgress
from dfsynth.train.recipe import Recipe
from dfsynth.train.recipe_file import read_recipe, recipe_path
from dfsynth.train.run import TrainOptions, TrainReport, prepare_training, train_generator

__all__ = [
    "Augmentation",
    "CascadeTrainer",
    "Example",
    "Phase",
    "Radiograph",
    "Recipe",
    "SilentTraining",
    "TrainEstimate",
    "TrainOptions",
    "TrainProgress",
    "TrainReport",
    "Weights",
    "draw_example",
    "estimate_training",
    "fidelity",
    "least_squares_discriminator",
    "least_squares_generator",
    "prepare_training",
    "read_recipe",
    "recipe_path",
    "residual_l1",
    "train_generator",
]
