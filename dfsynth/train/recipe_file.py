"""TOML → recipe: every key known, every value of its type, before anything else happens."""

import difflib
import tomllib
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from dfsynth.errors import UsageError
from dfsynth.resources import data_folder
from dfsynth.train.recipe import Recipe

_Record = TypeVar("_Record")


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
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the recipe {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the recipe {path} is no TOML: {error}") from error
    try:
        return parse_table(Recipe, table, "")
    except ValueError as error:
        raise UsageError(f"the recipe {path}: {error}") from error
    except UsageError as error:
        raise UsageError(f"the recipe {path}: {error}") from error


def parse_table(record: type[_Record], table: Mapping[str, object], where: str) -> _Record:
    """Turns a table's entries into a frozen record; `where` is the table's dotted name.

    Raises:
        UsageError: an entry is unknown, missing or does not fit; the nearest known key is named.
        ValueError: the record itself refuses its values.
    """
    known: dict[str, Field[Any]] = {f.name: f for f in fields(record)}  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            raise UsageError(_unknown(key, list(known), where))
    hints = get_type_hints(record)
    values = {key: _value(hints[key], table[key], _dotted(where, key)) for key in table}
    for name, entry in known.items():
        if name not in values and entry.default is MISSING and entry.default_factory is MISSING:
            raise UsageError(f"the key {_dotted(where, name)!r} is missing")
    return record(**values)


def _value(hint: Any, found: object, where: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        # TOML has no null: what is optional is left out.
        return _value(next(a for a in arguments if a is not type(None)), found, where)
    if origin is Literal:
        if found not in arguments:
            raise UsageError(_misfit(where, found, "one of " + ", ".join(map(str, arguments))))
        return found
    if origin is tuple:
        return _tuple(arguments, found, where)
    if origin is dict:
        if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
            raise UsageError(_misfit(where, found, "a table of texts"))
        return dict(found)
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(found, dict):
            raise UsageError(_misfit(where, found, "a table"))
        return parse_table(hint, found, where)
    return _plain(hint, found, where)


def _tuple(arguments: tuple[Any, ...], found: object, where: str) -> tuple[Any, ...]:
    if not isinstance(found, list):
        raise UsageError(_misfit(where, found, "a list"))
    if arguments[-1] is Ellipsis:
        return tuple(_value(arguments[0], item, where) for item in found)
    if len(found) != len(arguments):
        raise UsageError(_misfit(where, found, f"{len(arguments)} values"))
    return tuple(_value(a, item, where) for a, item in zip(arguments, found, strict=True))


def _plain(hint: Any, found: object, where: str) -> Any:
    whole = isinstance(found, int) and not isinstance(found, bool)
    if hint is float and (whole or isinstance(found, float)):
        return float(found)  # type: ignore[arg-type]
    if (hint is int and whole) or (hint in (bool, str) and isinstance(found, hint)):
        return found
    names = {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}
    raise UsageError(_misfit(where, found, names[hint]))


def _unknown(key: str, known: list[str], where: str) -> str:
    nearest = difflib.get_close_matches(key, known, 1, cutoff=0.5)
    hint = f"did you mean {_dotted(where, nearest[0])!r}?" if nearest else f"known: {known}"
    return f"unknown key {_dotted(where, key)!r}; {hint}"


def _misfit(where: str, found: object, expected: str) -> str:
    return f"{where} = {found!r}: expected {expected}"


def _dotted(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _is_recipe(path: Path) -> bool:
    """Whether a packaged file is a recipe of `dfsynth train`; two others belong to scripts."""
    return "network" in tomllib.loads(path.read_text(encoding="utf-8"))
