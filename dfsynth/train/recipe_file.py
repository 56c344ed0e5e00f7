"""The recipes of training: where they lie, and reading one."""

import tomllib
from pathlib import Path
from typing import Final

from dfsynth.errors import UsageError
from dfsynth.files.toml_record import parse_record, read_table
from dfsynth.resources import data_folder
from dfsynth.tasks import find_task, own_task
from dfsynth.train.recipe import Recipe

_WHAT: Final = "the recipe"


def recipe_path(wanted: str) -> Path:
    """Finds the file of a recipe, given as a packaged recipe's name or as a file.

    Raises:
        UsageError: it is neither.
    """
    if Path(wanted).is_file():
        return Path(wanted)
    packaged = packaged_recipes()
    if wanted in packaged:
        return packaged[wanted]
    raise UsageError(
        f"no recipe {wanted!r}: expected a TOML file or one of the packaged names: "
        f"{', '.join(packaged)}"
    )


def packaged_recipes() -> dict[str, Path]:
    """Lists the recipes that come with dfsynth: name → file."""
    files = sorted(data_folder("recipes").glob("*.toml"))
    return {path.stem: path for path in files if _is_recipe(path)}


def read_recipe(path: Path) -> Recipe:
    """Reads a recipe, and its task where it names the file of one.

    One that names a task and no window has the window of the task.

    Raises:
        UsageError: a file cannot be read or is no TOML, a key is unknown or missing, or a value
            does not fit.
    """
    entries = read_table(path, _WHAT)
    wanted = entries.get("task")
    own = None
    if isinstance(wanted, str):
        try:
            task = find_task(wanted, path.parent)
        except UsageError as error:
            raise UsageError(f"{_WHAT} {path}: {error}") from error
        own, entries["task"] = own_task(task), task.name
        entries.setdefault("window", list(task.window))
    try:
        return parse_record(Recipe, entries, {"own_task": own})
    except UsageError as error:
        raise UsageError(f"{_WHAT} {path}: {error}") from error


def _is_recipe(path: Path) -> bool:
    """Whether a packaged file is a recipe of `dfsynth train`; two others belong to scripts."""
    return "network" in tomllib.loads(path.read_text(encoding="utf-8"))
