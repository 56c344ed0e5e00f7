"""The recipes of training: where they lie, and reading one."""

import tomllib
from pathlib import Path

from dfsynth.errors import UsageError
from dfsynth.files.toml_record import read_record_file
from dfsynth.resources import data_folder
from dfsynth.train.recipe import Recipe


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
    """Reads a recipe.

    Raises:
        UsageError: the file cannot be read or is no TOML, a key is unknown or missing, or a value
            does not fit.
    """
    return read_record_file(Recipe, path, "the recipe")


def _is_recipe(path: Path) -> bool:
    """Whether a packaged file is a recipe of `dfsynth train`; two others belong to scripts."""
    return "network" in tomllib.loads(path.read_text(encoding="utf-8"))
