"""A training is prepared: everything is read and checked before anything is written."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch

from dfsynth.checkpoint import CascadeConfig
from dfsynth.datasets import PairInfo, PairSource, indices_in, open_pairs, open_unpaired
from dfsynth.devices import resolve_device, resolve_precision
from dfsynth.errors import UsageError
from dfsynth.models.discriminator import DISCRIMINATOR_WIDTHS
from dfsynth.options import TrainOptions
from dfsynth.progress import TrainProgress
from dfsynth.splits import SPLITS
from dfsynth.tasks import DEFAULT_TASK, find_task
from dfsynth.train import stored_keys
from dfsynth.train.declared_scales import check_scales
from dfsynth.train.families import family_of
from dfsynth.train.initial_checkpoint import InitialCheckpoint, read_initial_checkpoint
from dfsynth.train.processes import place_of_process
from dfsynth.train.recipe import Recipe, recipe_entries
from dfsynth.train.recipe_file import read_recipe, recipe_path
from dfsynth.train.recipe_fit import describe_fit, fit_recipe

_LATER_KEYS: Final = (
    ("augmentation", "shifts", 0.0),
    ("loss", "misfit", "l1"),
    ("loss", "discriminator", DISCRIMINATOR_WIDTHS),
    ("loss", "discriminator_every", 1),
    ("loss", "perceptual", ()),
    ("loss", "margin", 0.0),
    ("loss", "style", 0.0),
    ("loss", "beta_nll", 0.0),
    ("loss", "absolute", 0.0),
    ("loss", "fidelity_end", None),
    ("validation", "score", "nll"),
)
"""Tables and keys of recipes that older runs do not have, with what those were trained by."""


@dataclass(frozen=True, slots=True)
class PreparedTraining:
    """A training that is known to make sense, before anything is written."""

    recipe: Recipe
    source: PairSource
    indices: dict[str, tuple[int, ...]]
    """Split → which rows of `source` it has."""
    device: torch.device
    precision: str
    """fp32, bf16 or fp16."""
    initial: InitialCheckpoint | None = None
    member: int | None = None
    """Which member of an ensemble is trained; its recipe has a seed of its own."""

    def identity(self) -> dict[str, Any]:
        """Gives what makes two calls the same run, as `run.json` keeps it."""
        found: dict[str, Any] = {
            "recipe": _as_compared(self.recipe),
            "data": self.source.fingerprint(),
        }
        if self.initial is not None:
            found[stored_keys.INITIAL_CHECKPOINT] = self.initial.reference()
        if self.member is not None:
            found[stored_keys.MEMBER] = self.member
        return found


def prepare_training(options: TrainOptions, progress: TrainProgress) -> PreparedTraining:
    """Reads the recipe and lists the pairs, and checks all that needs no pixel of an image.

    Raises:
        UsageError: the recipe, device, size, task, initial checkpoint or pairs cannot work.
        CheckpointError: the initial checkpoint is damaged.
    """
    recipe = _fitted_recipe(options, progress)
    device = place_of_process(resolve_device(options.device))
    precision = resolve_precision(options.precision, device)
    check_sizes(recipe)
    remarks = check_scales(recipe)
    start = options.start_from
    initial = (
        None
        if start is None
        else read_initial_checkpoint(start, recipe.network, options.member or 0)
    )
    source = _open_source(options, recipe)
    for warning in (*remarks, *source.warnings):
        progress.message(f"warning: {warning}")
    indices: dict[str, tuple[int, ...]] = {s: indices_in(source, s) for s in SPLITS}
    for split in ("train", "val"):
        if not indices[split]:
            raise UsageError(
                f"{options.data} has no pair in the group {split!r}; training needs pairs of "
                "at least two patients, some of them for validation"
            )
    if not source.knows_lungs:
        recipe = _without_lung_masks(recipe, initial, progress)
    if options.member is not None:
        recipe = replace(recipe, seed=_seed_of_member(recipe.seed, options.member))
        indices["train"] = draw_patients(source.rows, indices["train"], recipe.seed)
    return PreparedTraining(recipe, source, indices, device, precision, initial, options.member)


def _open_source(options: TrainOptions, recipe: Recipe) -> PairSource:
    task = recipe.task_record
    if recipe.unpaired:
        return open_unpaired(options.data, options.targets, recipe.size, task)
    return open_pairs(
        options.data,
        options.targets,
        recipe.size,
        recipe.window,
        task.input.convention,
        task,
        task.output.convention,
    )


def _fitted_recipe(options: TrainOptions, progress: TrainProgress) -> Recipe:
    """The recipe as it is trained by; what differs from its file is said."""
    recipe = read_recipe(recipe_path(options.recipe))
    if options.task is None and options.size is None:
        return recipe
    task = recipe.task_record if options.task is None else find_task(options.task)
    fitted = fit_recipe(recipe, task, options.size)
    changes = describe_fit(recipe, fitted)
    if changes:
        progress.message(f"the recipe {recipe.name} is fitted: {', '.join(changes)}")
    return fitted


def _as_compared(recipe: Recipe) -> dict[str, Any]:
    """The entries of a recipe; some came after runs that must still be known as theirs."""
    found = recipe_entries(recipe)
    for table, key, usual in _LATER_KEYS:
        if table in found and found[table][key] == usual:
            del found[table][key]
    if recipe.task == DEFAULT_TASK:
        del found["task"]
    return found


def draw_patients(rows: Sequence[PairInfo], indices: Sequence[int], seed: int) -> tuple[int, ...]:
    """Draws as many patients of each origin as there are, with replacement → pairs of each draw.

    Breiman, "Bagging predictors", Machine Learning 1996, with patients as the unit: pairs of one
    patient are no new evidence. Within each origin, since a few volumes among hundreds of phantoms
    would else be missing from most draws.
    """
    of_patient: dict[tuple[str, str], list[int]] = {}
    for index in indices:
        row = rows[index]
        of_patient.setdefault((row.origin or "", row.patient_id), []).append(index)
    rng = np.random.default_rng([seed, len(of_patient)])
    chosen: list[int] = []
    for origin in sorted({origin for origin, _ in of_patient}):
        patients = sorted(patient for patient in of_patient if patient[0] == origin)
        for drawn in sorted(rng.integers(len(patients), size=len(patients))):
            chosen += of_patient[patients[drawn]]
    return tuple(chosen)


def _seed_of_member(seed: int, member: int) -> int:
    """Far from each other: 0 and 1 of one seed are not 1 and 2 of the seed before."""
    return int(np.random.SeedSequence([seed, member]).generate_state(1)[0])


def _without_lung_masks(
    recipe: Recipe, initial: InitialCheckpoint | None, progress: TrainProgress
) -> Recipe:
    """An output that nothing supervises would be taken for the lung by every figure of the lung."""
    network = recipe.network
    if not isinstance(network, CascadeConfig) or not network.lung_head:
        return recipe
    if initial is not None:
        progress.message(
            f"the pairs have no lung masks: the lung output is trained on the predictions of "
            f"{initial.card.name} (distillation)"
        )
        return recipe
    progress.message(
        "the pairs have no lung masks: the generator gets no lung output, and its images no "
        "figures of the lung; --start-from a generator that has one keeps it"
    )
    return replace(recipe, network=replace(network, lung_head=False))


def check_sizes(recipe: Recipe) -> None:
    """Requires that networks and losses can work on images of the recipe's size.

    Raises:
        UsageError: they cannot; the message names a size that works.
    """
    family, crop = family_of(recipe.network), recipe.augmentation.crop
    side, key = (recipe.size, "size") if crop is None else (crop, "[augmentation] crop")
    try:
        with torch.device("meta"):
            divisor = family.build(recipe.network).divisor
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
    family.objective.check_recipe(recipe, side)
