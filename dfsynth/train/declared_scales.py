"""Whether a recipe and its task, if that is a user's own, say what values are to a network."""

from typing import Final

from dfsynth.checkpoint import CascadeConfig
from dfsynth.errors import UsageError
from dfsynth.tasks import Task, own_task
from dfsynth.train.recipe import Recipe

_FAR: Final = 4.0
"""How far outside 0 to 1 a window may end: losses and rates are for values near it."""
_HOPELESS: Final = 100.0
"""So far outside that no recipe's steps lead there."""
_NARROW: Final = 0.05
"""Width of a window below which what is learned of it is coarse."""
_INVISIBLE: Final = 0.01
"""Width of one that losses do not see."""
_OTHER_TASK: Final = 100.0
"""How often the windows of a recipe and of its task may fit into each other."""


def check_scales(recipe: Recipe) -> tuple[str, ...]:
    """Requires a window of the task, and `intensity` of one of a user's own that is lost without.

    Returns:
        A sentence where values are so far from 0 to 1 that training may suffer.

    Raises:
        UsageError: a window that was meant for another task, inputs in a unit that windows of
            single images would take from them, or targets that no recipe can reach; the message
            says what to change or to add to the file.
    """
    task = recipe.task_record
    _check_window(recipe, task)
    if own_task(task) is None:
        return ()
    missing = [entry for entry in (_of_input(task), _of_output(recipe)) if entry is not None]
    if not missing:
        return ()
    sentence = (
        f"the task {task.name} leaves out {' and '.join(where for where, _, _ in missing)}: "
        f"{'; '.join(why for _, why, _ in missing)}; add to its file "
        f"{', and '.join(what for _, _, what in missing)}"
    )
    if _of_input(task) is not None or _leaves(recipe.window, _HOPELESS, _INVISIBLE):
        raise UsageError(sentence)
    return (sentence,)


def _check_window(recipe: Recipe, task: Task) -> None:
    (low, high), (least, most) = recipe.window, task.window
    share = (high - low) / (most - least)
    if min(high, most) > max(low, least) and 1 / _OTHER_TASK <= share <= _OTHER_TASK:
        return
    raise UsageError(
        f"the recipe {recipe.name} has window = [{low:g}, {high:g}], but the task {task.name} "
        f"[{least:g}, {most:g}]: pictures, PSNR and targets of whole numbers go by it; say "
        f"window = [{least:g}, {most:g}], or leave it out"
    )


def _of_input(task: Task) -> tuple[str, str, str] | None:
    """(the entry that is missing, what comes of it, what to add), if it is."""
    if task.input.intensity is not None or task.input.unit == "1":
        return None
    low, high = task.input_array.window
    return (
        "[input] intensity",
        f"each input is windowed between its own percentiles, so that none keeps its unit "
        f"{task.input.unit}",
        f'intensity = [{low:g}, {high:g}] below [input], or unit = "1" there of grey values',
    )


def _of_output(recipe: Recipe) -> tuple[str, str, str] | None:
    """The same of targets, which networks but cascades learn as shares of their `span`."""
    task, (low, high) = recipe.task_record, recipe.window
    cascade = isinstance(recipe.network, CascadeConfig)
    if task.output.intensity is not None or not cascade:
        return None
    if not _leaves(recipe.window, _FAR, _NARROW):
        return None
    unit = "" if task.output.unit == "1" else f" {task.output.unit}"
    return (
        "[output] intensity",
        f"targets are learned as they are, about {low:g} to {high:g}{unit}, by losses and rates "
        "that are made for values near 0 to 1",
        f"intensity = [{low:g}, {high:g}] below [output]",
    )


def _leaves(window: tuple[float, float], far: float, narrow: float) -> bool:
    """Whether a window ends more than `far` outside 0 to 1, or is narrower than `narrow`."""
    low, high = window
    return max(-low, high - 1.0) > far or high - low < narrow
