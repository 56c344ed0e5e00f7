"""The tasks that come with dfsynth, by name."""

from functools import cache
from typing import Final

from dfsynth.errors import UsageError
from dfsynth.files.toml_record import read_record_file
from dfsynth.resources import data_folder
from dfsynth.tasks.task import Task

DEFAULT_TASK: Final = "dark-field-radiography"
"""That of checkpoints and stores which name none: those from before there were others."""


@cache
def task_names() -> tuple[str, ...]:
    """The names of all tasks, the default first."""
    names = sorted(path.stem for path in data_folder("tasks").glob("*.toml"))
    return tuple(sorted(names, key=lambda name: name != DEFAULT_TASK))


@cache
def known_maps() -> tuple[str, ...]:
    """The names of the maps that stores of any task can hold, those of the default first."""
    names = (name for task in task_names() for name in task_named(task).map_words)
    return tuple(dict.fromkeys(names))


@cache
def task_named(name: str) -> Task:
    """The task of a name.

    Raises:
        UsageError: there is none, or its file is damaged.
    """
    if name not in task_names():
        raise UsageError(f"no task {name!r}: expected {' or '.join(task_names())}")
    return read_record_file(Task, data_folder("tasks") / f"{name}.toml", "the task")
