"""What people write for an option, on a command line or in Python, → the value that it stands for.

Every function passes a value that is already of its kind, so that texts of the command line and
values from Python take one way.
"""

import difflib
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from operator import index
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from dfsynth.errors import ErrorCode, UsageError
from dfsynth.files.object_path import AnyPath, ObjectPath, to_any_path

Coercion = Callable[[Any], Any]

RENAMED: Final[Mapping[str, str]] = {"share": "partition", "devices": "implants"}
"""Names of version 0.1 → today's."""
_EXAMPLES: Final = {
    "--severity": "0:0.5",
    "--kvp": "90:125",
    "--moves": "1:6",
    "--move-mm": "0.5:4",
    "--move-deg": "0.5:4",
}


def coerce(
    given: Mapping[str, Any],
    coercions: Mapping[str, Coercion],
    renamed: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Options by name, each as its coercion gives it; names of earlier versions are translated.

    Raises:
        UsageError: a value that its option cannot take, or an option given by both of its names.
    """
    found: dict[str, Any] = {}
    for name, value in given.items():
        current = renamed.get(name, name)
        if current != name:
            warnings.warn(f"{name} is now called {current}", DeprecationWarning, stacklevel=4)
        if current in found or (current != name and current in given):
            raise UsageError(f"{name} and {current} are the same option: expected one of them")
        found[current] = coercions[current](value) if current in coercions else value
    return found


def to_path(value: str | Path) -> Path:
    """A path.

    Raises:
        UsageError: an empty text, which would stand for the current folder.
    """
    if value == "":
        raise UsageError("found an empty path; expected a name, or . for the current folder")
    return Path(value)


def to_optional_path(value: str | Path | None) -> Path | None:
    """A path, or nothing.

    Raises:
        UsageError: an empty text.
    """
    return None if value is None else to_path(value)


def to_optional_text(value: str | Path | None) -> str | None:
    """A text, of a path as well; or nothing."""
    return None if value is None else str(value)


def to_optional_place(value: str | AnyPath | None) -> AnyPath | None:
    """A folder, or `s3://bucket/prefix` in an object store; or nothing.

    Raises:
        UsageError: an address of an object store without a bucket.
    """
    return None if value is None else to_place(value)


def to_place(value: str | AnyPath) -> AnyPath:
    """A path, or `s3://bucket/prefix` in an object store.

    Raises:
        UsageError: an empty text, or an address of an object store without a bucket.
    """
    found = to_any_path(value) if value != "" else ""
    return found if isinstance(found, ObjectPath) else to_path(found)


def to_size(value: str | int | Iterable[int] | None) -> tuple[int, int] | None:
    """`256`, `"947x956"` or (947, 956) → (height, width) in pixels; nothing stays nothing.

    Raises:
        UsageError: anything else.
    """
    if value is None:
        return None
    match = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", str(value))
    found = (int(match[1]), int(match[2] or match[1])) if match else _two_numbers(value)
    if found is None:
        raise UsageError(f"--size {value}: expected N or HxW, for example 256 or 947x956")
    return found


def to_partition(value: str | Iterable[int] | None) -> tuple[int, int]:
    """`"I/N"` or (I, N) → (I, N); nothing → (0, 1), which is everything.

    Raises:
        UsageError: anything else.
    """
    if value is None:
        return 0, 1
    match = re.fullmatch(r"(\d+)/(\d+)", str(value))
    found = (int(match[1]), int(match[2])) if match else _two_numbers(value)
    if found is None:
        raise UsageError(f"--partition {value}: expected I/N with I from 0, for example 0/4")
    return found


def to_range(option: str, value: str | float | Iterable[float]) -> tuple[float, float]:
    """`"MIN:MAX"` or (min, max) → (min, max); one number stands for both.

    Raises:
        UsageError: anything else.
    """
    ends: list[Any]
    if isinstance(value, str):
        ends = value.split(":")
    else:
        ends = list(value) if isinstance(value, Iterable) else [value]
    try:
        numbers = [float(end) for end in ends]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) not in (1, 2):
        raise UsageError(
            f"{option} {value}: expected MIN:MAX or one number, for example {_EXAMPLES[option]}"
        )
    return numbers[0], numbers[-1]


def to_batch_size(value: str | int | None) -> int | None:
    """`"auto"` → nothing, which leaves it to the device; else a number.

    Raises:
        UsageError: anything else.
    """
    return _auto_or_number("--batch-size", value)


def to_shard_size(value: str | int | None) -> int | None:
    """`"auto"` → nothing, which leaves it to the measured rate; else a number.

    Raises:
        UsageError: anything else.
    """
    return _auto_or_number("--shard-size", value)


def to_error_codes(value: str | bool | Iterable[str] | None) -> tuple[str, ...] | None:
    """`"missing,timeout"` → ("missing", "timeout"); "all" or True → all; False → nothing.

    Raises:
        UsageError: a code that no row can have.
    """
    if value is None or value is False:
        return None
    known = tuple(ErrorCode)
    if value is True or value == "all":
        return known
    names = to_names(value)
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None or not names:
        near = difflib.get_close_matches(unknown or "", known, 1, 0.5)
        nearest = f"did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"--retry-failed {unknown or ''}: there is no such error code; {nearest}expected some "
            f"of {', '.join(known)}, or none for all"
        )
    return names


def to_names(value: str | Iterable[str]) -> tuple[str, ...]:
    """`"a,b"` or ("a", "b") → ("a", "b")."""
    names = value.split(",") if isinstance(value, str) else value
    return tuple(name.strip() for name in names if name.strip())


def to_optional_names(value: str | Iterable[str] | None) -> tuple[str, ...] | None:
    """The same, or nothing."""
    return None if value is None else to_names(value)


def _auto_or_number(option: str, value: str | int | None) -> int | None:
    if value is None or value == "auto":
        return None
    if not str(value).isdecimal():
        raise UsageError(f"{option} {value}: expected auto or a number of images")
    return int(value)


def _two_numbers(value: object) -> tuple[int, int] | None:
    """Two whole numbers, NumPy's included; None for anything else."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return None
    try:
        numbers = [index(number) for number in value]
    except TypeError:
        return None
    return (numbers[0], numbers[1]) if len(numbers) == 2 else None
