"""A recipe of one task is fitted to another, or to images of another size."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from dfsynth.checkpoint import CascadeConfig, MunitConfig
from dfsynth.datasets.augmentation import DeviceAugmentation
from dfsynth.tasks import Task, own_task
from dfsynth.train.recipe import Recipe, TrainedNetwork

_GREY_VALUES: Final = ("contrast", "brightness", "gamma", "noise")
"""Augmentation of grey values in [0, 1], which values in a unit are not."""
_OF_CHESTS: Final = ("shadows", "shifts")
"""Augmentation that draws what radiographs of the chest show."""

_OF_TEXTS: Final = frozenset({"provenance", "own_task"})


def fit_recipe(recipe: Recipe, task: Task, size: int | None = None) -> Recipe:
    """Gives the recipe with all that depends on the task set for `task`, and nothing else changed.

    Of another task than the recipe's these are the window, the span of diffusion and flow, the
    residual, which becomes 0 (its size is that of a task's errors), the lung output and its loss
    where images show no lungs, and augmentation of the appearance where inputs are values in a
    unit. What was changed is no longer the paper's: its provenance says so.

    Args:
        recipe: Of any task.
        task: What the network shall be for.
        size: Side of the square grid in pixels; None keeps the recipe's. Patches of a crop that is
            as large as the grid or larger are whole images.

    Raises:
        UsageError: the size is out of its range.
    """
    size = recipe.size if size is None else size
    augmentation, network, loss = recipe.augmentation, recipe.network, recipe.loss
    if augmentation.crop is not None and augmentation.crop >= size:
        augmentation = replace(augmentation, crop=None)
    fitted = replace(recipe, size=size, augmentation=augmentation)
    if task != recipe.task_record:
        if not task.has_lungs and isinstance(network, CascadeConfig):
            loss = replace(loss, lung=0.0)
        fitted = replace(
            fitted,
            task=task.name,
            own_task=own_task(task),
            window=task.window,
            augmentation=_suitable(augmentation, task),
            network=_fitted_network(network, task),
            loss=loss,
        )
    changed = {key for key, _, _ in _changes(recipe, fitted)}
    why = f"assumed: fitted to {task.name} at {size} x {size} pixels"
    words = {key: why if key in changed else word for key, word in recipe.provenance.items()}
    return replace(fitted, provenance=words)


def describe_fit(recipe: Recipe, fitted: Recipe) -> tuple[str, ...]:
    """Gives a clause for each value in which a fitted recipe differs from what it was made of."""
    return tuple(f"{key} = {now} (was {before})" for key, before, now in _changes(recipe, fitted))


def _suitable(augmentation: DeviceAugmentation, task: Task) -> DeviceAugmentation:
    """Leaves out what images of the task would be spoilt by."""
    left_out: tuple[str, ...] = ()
    if task.input.intensity is not None:
        left_out = _GREY_VALUES + _OF_CHESTS
    elif not task.has_lungs:
        left_out = _OF_CHESTS
    nothing: dict[str, Any] = dict.fromkeys(left_out, 0.0)
    return replace(augmentation, **nothing)


def _fitted_network(network: TrainedNetwork, task: Task) -> TrainedNetwork:
    if isinstance(network, CascadeConfig):
        lung_head = network.lung_head and task.has_lungs
        return replace(network, lung_head=lung_head, residual=0.0)
    if isinstance(network, MunitConfig):
        return network
    low, high = task.window
    convention = task.output.convention
    if convention is not None:
        width = convention.high - convention.low
        low, high = (low - convention.low) / width, (high - convention.low) / width
    return replace(network, span=(low, high), residual=0.0)


def _changes(recipe: Recipe, fitted: Recipe) -> Iterator[tuple[str, object, object]]:
    """The dotted key of each value that differs, with what it was and what it is."""
    # All values: `recipe_entries` leaves out those that recipes could not say before.
    before, now = (dict(_dotted(asdict(r), "")) for r in (recipe, fitted))
    for key, value in now.items():
        if before[key] != value:
            yield key, before[key], value


def _dotted(table: Mapping[str, Any], where: str) -> Iterator[tuple[str, object]]:
    """The values of nested tables but those of texts, by their dotted keys."""
    for key, value in table.items():
        if key in _OF_TEXTS:
            continue
        if isinstance(value, Mapping):
            yield from _dotted(value, f"{where}{key}.")
        else:
            yield f"{where}{key}", value
