"""What a training is asked for, made ready before anything is written."""

from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from dfsynth.datasets import PairSource, numbers_in, open_pairs
from dfsynth.datasets.groups import SPLITS
from dfsynth.devices import resolve_device, resolve_precision
from dfsynth.errors import UsageError
from dfsynth.models import Cascade
from dfsynth.models.discriminator import PatchDiscriminator
from dfsynth.options import TrainOptions
from dfsynth.progress import TrainProgress
from dfsynth.train.initial_checkpoint import Beginning, read_beginning
from dfsynth.train.processes import place_of_process
from dfsynth.train.recipe import Recipe
from dfsynth.train.recipe_file import read_recipe, recipe_path


@dataclass(frozen=True, slots=True)
class Preparation:
    """A training that is known to make sense, before anything is written."""

    recipe: Recipe
    source: PairSource
    rows: dict[str, tuple[int, ...]]
    """Numbers of the pairs in each group of patients."""
    device: torch.device
    precision: str
    beginning: Beginning | None = None

    def identity(self) -> dict[str, Any]:
        """What makes two calls the same run."""
        found = {"recipe": asdict(self.recipe), "data": self.source.fingerprint()}
        return found if self.beginning is None else found | {"start": self.beginning.origin()}


def prepare_training(options: TrainOptions, progress: TrainProgress) -> Preparation:
    """Reads recipe and list of pairs and checks all that can be checked without a picture.

    Raises:
        UsageError: a recipe, device, size or data that cannot work, in one line.
    """
    recipe = read_recipe(recipe_path(options.recipe))
    device = place_of_process(resolve_device(options.device))
    precision = resolve_precision(options.precision, device)
    check_sizes(recipe)
    start = options.start_from
    beginning = None if start is None else read_beginning(start, recipe.network)
    source = open_pairs(options.data, options.targets, recipe.size, recipe.window)
    for warning in source.warnings:
        progress.message(f"warning: {warning}")
    rows: dict[str, tuple[int, ...]] = {s: numbers_in(source, s) for s in SPLITS}
    for split in ("train", "val"):
        if not rows[split]:
            raise UsageError(
                f"{options.data} has no pair in the group {split!r}; training needs pairs of "
                "at least two patients, some of them for validation"
            )
    if not source.knows_lungs and recipe.network.lung_head:
        recipe = _without_lungs(recipe, beginning, progress)
    return Preparation(recipe, source, rows, device, precision, beginning)


def _without_lungs(recipe: Recipe, start: Beginning | None, progress: TrainProgress) -> Recipe:
    """An output that nothing teaches would be taken for the lung by every figure of the lung."""
    if start is not None:
        progress.message(
            f"the pairs have no lung masks: the lung output learns what {start.card.name} says of "
            "their radiographs"
        )
        return recipe
    progress.message(
        "the pairs have no lung masks: the generator gets no lung output, and its images no "
        "figures of the lung; --start-from a generator that has one keeps it"
    )
    return replace(recipe, network=replace(recipe.network, lung_head=False))


def check_sizes(recipe: Recipe) -> None:
    """That networks and losses can do with pictures of this size.

    Raises:
        UsageError: they cannot; names a size that works.
    """
    crop = recipe.augmentation.crop
    side, key = (recipe.size, "size") if crop is None else (crop, "[augmentation] crop")
    try:
        with torch.device("meta"):
            divisor = Cascade(recipe.network).divisor
    except ValueError as error:
        raise UsageError(f"[network] {error}") from error
    if side > recipe.size:
        raise UsageError(
            f"[augmentation] crop = {crop}, but size = {recipe.size}: expected at most the size"
        )
    if side % divisor:
        below = max(side // divisor, 1) * divisor
        raise UsageError(
            f"{key} = {side} cannot be divided by {divisor}, as this network needs; "
            f"use {below} or {below + divisor}"
        )
    loss = recipe.loss
    if loss.residual and loss.residual_box // 2 >= side:
        raise UsageError(
            f"[loss] residual_box = {loss.residual_box} is too large for pictures of {side} "
            f"pixels; expected at most {2 * side - 1}"
        )
    if loss.adversarial and side < PatchDiscriminator.LEAST_SIDE:
        raise UsageError(
            f"{key} = {side} is too small for a discriminator; expected "
            f"{PatchDiscriminator.LEAST_SIDE} or more, or [loss] adversarial = 0"
        )


def training_data(prepared: Preparation) -> tuple[dict[str, str], ...]:
    """What the model card says of the pairs: no path, no patient.

    What a checkpoint learned from before this training counts as well.
    """
    before = () if prepared.beginning is None else prepared.beginning.card.training_data
    counts: Counter[tuple[str, str]] = Counter()
    for number in prepared.rows["train"]:
        row = prepared.source.rows[number]
        counts[row.origin or "pairs of the user", row.license or "not stated"] += 1
    own = tuple(
        {"name": name, "licence": licence, "training_pairs": str(count)}
        for (name, licence), count in sorted(counts.items())
    )
    return own + tuple(entry for entry in before if entry not in own)
