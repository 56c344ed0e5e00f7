"""The tasks that come with dfsynth, by name, and those of users, by their files."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from dfsynth.errors import UsageError
from dfsynth.files.toml_record import parse_record, read_record_file
from dfsynth.records import Task
from dfsynth.resources import data_folder

DEFAULT_TASK: Final = "dark-field-radiography"
"""That of checkpoints and stores which name none: those from before there were others."""
_SUFFIX: Final = ".toml"


@cache
def task_names() -> tuple[str, ...]:
    """The names of all tasks that come with dfsynth, the default first."""
    names = sorted(path.stem for path in data_folder("tasks").glob(f"*{_SUFFIX}"))
    return tuple(sorted(names, key=lambda name: name != DEFAULT_TASK))


@cache
def known_maps() -> tuple[str, ...]:
    """The names of the maps that stores of these tasks can hold, those of the default first."""
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
    return read_record_file(Task, data_folder("tasks") / f"{name}{_SUFFIX}", "the task")


def find_task(wanted: str, folder: Path = Path()) -> Task:
    """The task of a name, or of a TOML file of a user, whose relative path starts from `folder`.

    Raises:
        UsageError: there is neither, the file is wrong, or its name is that of another task.
    """
    if not wanted.endswith(_SUFFIX):
        if wanted in task_names():
            return task_named(wanted)
        raise UsageError(
            f"no task {wanted!r}: expected {', '.join(task_names())}, or the path of a TOML file "
            "that defines one"
        )
    path = folder / wanted
    task = read_record_file(Task, path, "the task")
    if task.name in task_names() and task != task_named(task.name):
        raise UsageError(
            f"the task {path}: name = {task.name!r} is that of a task that comes with dfsynth, and "
            "says something else; give yours another name"
        )
    return task


def task_of(name: str, own: Task | None) -> Task:
    """The task that a file names; one that does not come with dfsynth is `own`, which it carries.

    Raises:
        UsageError: there is none of this name.
    """
    return task_named(name) if own is None else own


def own_task(task: Task) -> Task | None:
    """What a file has to carry beside the name of its task: one that does not come with dfsynth."""
    return None if task.name in task_names() and task == task_named(task.name) else task


def parse_own_task(name: str, entries: Mapping[str, object]) -> Task:
    """The task `name` of a file that carries its entries, as `record_entries` gives them.

    Raises:
        ValueError: it is no task, or has another name; the message is a sentence part.
    """
    try:
        task = parse_record(Task, entries)
    except UsageError as error:
        raise ValueError(f"the entry 'own_task' is no task: {error}") from error
    if task.name != name:
        raise ValueError(f"the entry 'own_task' is of {task.name!r}, not of {name!r}")
    return task
