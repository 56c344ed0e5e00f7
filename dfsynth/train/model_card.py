"""The model card of what a training makes."""

from collections import Counter
from dataclasses import asdict
from typing import Any, Final

from dfsynth.checkpoint import ModelCard
from dfsynth.train import stored_keys
from dfsynth.train.families import family_of
from dfsynth.train.preparation import PreparedTraining
from dfsynth.train.recipe import recipe_entries
from dfsynth.train.validation import Scores

_LIMITS: Final = (
    "It knows what its training pairs show and nothing else; other machines, views, ages and body "
    "parts may give meaningless maps. Judge it with dfsynth evaluate on pairs of your own."
)

_DEGRADING: Final = (
    "Research: it makes low-quality partners of good radiographs, by dfsynth simulate --task "
    "restoration --degrader, and no images to look at. Not for diagnosis."
)


def trained_card(prepared: PreparedTraining, scores: Scores, step: int) -> ModelCard:
    """Writes the card of the network after `step` steps, with its scores and not calibrated."""
    recipe, initial = prepared.recipe, prepared.initial
    task, family = recipe.task_record, family_of(recipe.network)
    start = {} if initial is None else {stored_keys.INITIAL_CHECKPOINT: initial.reference()}
    return ModelCard(
        name=recipe.name,
        network=family.network,
        arguments=recipe.network,
        grid=(recipe.size, recipe.size),
        intensity=task.input.convention,
        unit=task.output.unit,
        window=recipe.window,
        license="that of the training data",
        intended_use=_DEGRADING if recipe.unpaired else task.intended_use,
        limits=" ".join(filter(None, (_LIMITS, family.limits))),
        training_data=_training_data(prepared),
        recipe=_without_task(recipe_entries(recipe)) | start,
        task=task.name,
        own_task=recipe.own_task,
        output_intensity=task.output.convention,
        metrics={"validation": asdict(scores), "step": step},
    )


def _without_task(entries: dict[str, Any]) -> dict[str, Any]:
    """Its name is enough: the card itself carries what does not come with dfsynth."""
    return {key: value for key, value in entries.items() if key != "own_task"}


def _training_data(prepared: PreparedTraining) -> tuple[dict[str, str], ...]:
    """What the card says of the pairs: no path, no patient.

    What the initial checkpoint was trained on counts as well.
    """
    before = () if prepared.initial is None else prepared.initial.card.training_data
    counts: Counter[tuple[str, str]] = Counter()
    for index in set(prepared.indices["train"]):
        row = prepared.source.rows[index]
        counts[row.origin or "pairs of the user", row.license or "not stated"] += 1
    own = tuple(
        {"name": name, "licence": license_, "training_pairs": str(count)}
        for (name, license_), count in sorted(counts.items())
    )
    return own + tuple(entry for entry in before if entry not in own)
