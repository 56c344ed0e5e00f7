"""TOML → frozen record: every key known, every value of its type, before anything else happens."""

import difflib
import tomllib
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, fields, is_dataclass
from pathlib import Path
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from dfsynth.counted_nouns import counted
from dfsynth.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Record = TypeVar("_Record")


def read_record_file(record: type[_Record], path: Path, what: str) -> _Record:
    """Reads a TOML file as a frozen dataclass.

    Args:
        record: Its type; nested tables are fields that are dataclasses too. Where a field may be
            one of several, the table's key `name` says which, and without it the first is meant.
        path: The file.
        what: What messages call it, for example "the recipe".

    Raises:
        UsageError: the file cannot be read or is no TOML, a key is unknown or missing, or a value
            does not fit.
    """
    table = read_table(path, what)
    try:
        return parse_record(record, table)
    except UsageError as error:
        raise UsageError(f"{what} {path}: {error}") from error


def read_table(path: Path, what: str) -> dict[str, Any]:
    """Reads a TOML file as nested entries; `what` is what messages call it.

    Raises:
        UsageError: the file cannot be read or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {what} {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{what} {path} is no TOML: {error}") from error


def parse_record(
    record: type[_Record],
    table: Mapping[str, object],
    given: Mapping[str, object] = MappingProxyType({}),
) -> _Record:
    """Makes a frozen dataclass of nested entries, such as those of a TOML file.

    Args:
        record: Its type; see `read_record_file`.
        table: The entries.
        given: Values of fields that no entry may set.

    Raises:
        UsageError: a key is unknown or missing, or a value does not fit.
    """
    try:
        return _parse_table(record, table, "", given)
    except ValueError as error:
        raise UsageError(str(error)) from error


def record_entries(record: "DataclassInstance") -> dict[str, Any]:
    """Gives the entries from which `parse_record` makes an equal record: what is None is left out.

    Nested records are objects, and tuples lists, as they come back from a file.
    """
    entries: dict[str, Any] = _stored(asdict(record))
    return entries


def _stored(found: object) -> Any:
    if isinstance(found, dict):
        return {key: _stored(value) for key, value in found.items() if value is not None}
    if isinstance(found, list | tuple):
        return [_stored(value) for value in found]
    return found


def _parse_table(
    record: type[_Record],
    table: Mapping[str, object],
    where: str,
    given: Mapping[str, object] = MappingProxyType({}),
) -> _Record:
    """Turns a table's entries into a frozen record; `where` is the table's dotted name.

    Raises:
        UsageError: an entry is unknown, missing or does not fit; the nearest known key is named.
        ValueError: the record itself refuses its values.
    """
    known: dict[str, Field[Any]] = {
        f.name: f
        for f in fields(record)  # type: ignore[arg-type]
        if f.name not in given
    }
    for key in table:
        if key not in known:
            raise UsageError(_unknown(key, list(known), where))
    hints = get_type_hints(record)
    values = {key: _value(hints[key], table[key], _dotted(where, key)) for key in table}
    for name, entry in known.items():
        if name not in values and entry.default is MISSING and entry.default_factory is MISSING:
            raise UsageError(f"the key {_dotted(where, name)!r} is missing")
    return record(**values, **given)


def _value(hint: Any, found: object, where: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _one_of(arguments, found, where)
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
        return _parse_table(hint, _table(found, where), where)
    return _plain(hint, found, where)


def _one_of(hints: tuple[Any, ...], found: object, where: str) -> Any:
    """An optional value, or the record that the table names among several."""
    # TOML has no null: what is optional is left out.
    first, *others = (hint for hint in hints if hint is not type(None))
    if not others:
        return _value(first, found, where)
    known = {_name_of(kind): kind for kind in (first, *others)}
    entries = dict(_table(found, where))
    name = entries.pop("name", _name_of(first))
    if not isinstance(name, str) or name not in known:
        raise UsageError(_misfit(_dotted(where, "name"), name, f"one of {', '.join(known)}"))
    return _parse_table(known[name], entries, where)


def _name_of(kind: type) -> str:
    """The only text that the field or class variable `name` of a record may be."""
    hint = get_type_hints(kind)["name"]
    literal = get_args(hint)[0] if get_origin(hint) is ClassVar else hint
    return str(get_args(literal)[0])


def _table(found: object, where: str) -> Mapping[str, object]:
    if not isinstance(found, dict):
        raise UsageError(_misfit(where, found, "a table"))
    return found


def _tuple(arguments: tuple[Any, ...], found: object, where: str) -> tuple[Any, ...]:
    if not isinstance(found, list):
        raise UsageError(_misfit(where, found, "a list"))
    if arguments[-1] is Ellipsis:
        return tuple(_value(arguments[0], item, where) for item in found)
    if len(found) != len(arguments):
        raise UsageError(_misfit(where, found, counted(len(arguments), "value")))
    return tuple(_value(a, item, where) for a, item in zip(arguments, found, strict=True))


def _plain(hint: Any, found: object, where: str) -> Any:
    whole = isinstance(found, int) and not isinstance(found, bool)
    if hint is float and (whole or isinstance(found, float)):
        try:
            return float(found)  # type: ignore[arg-type]
        except OverflowError:
            raise UsageError(f"{where}: found a number that is too large") from None
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
