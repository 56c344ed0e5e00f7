"""Training: recipes, losses, the loop, and what a run keeps."""

from dfsynth.train.estimate import TrainEstimate, TrainPlan, estimate_training, plan_training
from dfsynth.train.job import TrainReport, run_training, train_prepared
from dfsynth.train.losses import (
    fidelity,
    least_squares_discriminator,
    least_squares_generator,
    residual_l1,
)
from dfsynth.train.preparation import prepare_training
from dfsynth.train.recipe import Recipe
from dfsynth.train.recipe_file import read_recipe, recipe_path

__all__ = [
    "Recipe",
    "TrainEstimate",
    "TrainPlan",
    "TrainReport",
    "estimate_training",
    "fidelity",
    "least_squares_discriminator",
    "least_squares_generator",
    "plan_training",
    "prepare_training",
    "read_recipe",
    "recipe_path",
    "residual_l1",
    "run_training",
    "train_prepared",
]
