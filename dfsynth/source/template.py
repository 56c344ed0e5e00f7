"""Texts such as `{subject_id}/{study_id}`, filled for whole columns at a time."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.source.schema import Column

_PART: Final = re.compile(r"\{([^{}|]+)((?:\|[^{}|]+)*)\}|([^{}]+)")


def _tail(values: Column, parts: int) -> Column:
    """The last `parts` parts of paths; whole where they have fewer."""
    kept = rf"^(?:.*/)?((?:[^/]+/){{{parts - 1}}}[^/]+)$"
    return pc.replace_substring_regex(values, kept, r"\1")


def _padded(values: Column, width: int) -> Column:
    return pc.utf8_lpad(values, width, "0")


_FILTERS: Final[Mapping[str, Callable[[Column], Column]]] = MappingProxyType(
    {
        "lower": pc.utf8_lower,
        "folder": lambda values: pc.replace_substring_regex(values, r"/?[^/]*$", ""),
        "file_name": lambda values: _tail(values, 1),
        "no_suffix": lambda values: pc.replace_substring_regex(values, r"\.[^./]*$", ""),
        "stem": lambda values: _FILTERS["no_suffix"](_tail(values, 1)),
        "slashes": lambda values: pc.replace_substring(values, "\\", "/"),
    }
)
_NUMBERED: Final[Mapping[str, Callable[[Column, int], Column]]] = MappingProxyType(
    {"tail": _tail, "pad": _padded}
)
FILTERS: Final = (*_FILTERS, *(f"{name}:N" for name in _NUMBERED))
"""What may follow a name in a template, behind `|`."""


@dataclass(frozen=True, slots=True)
class _Name:
    """A named value with what is done to it."""

    name: str
    filters: tuple[Callable[[Column], Column], ...]

    def fill(self, values: Mapping[str, Column]) -> Column | None:
        column = values.get(self.name)
        if column is None:
            return None
        for change in self.filters:
            column = change(column)
        return column


@dataclass(frozen=True, slots=True)
class Template:
    """A text with named values in braces, each maybe with filters: `{Path|tail:3|lower}`."""

    text: str
    parts: tuple[_Name | str, ...]

    @classmethod
    def parse(cls, text: str) -> "Template":
        """Reads a template.

        Raises:
            ValueError: a brace without its fellow, or a filter that does not exist; the message
                is half a sentence on what was expected.
        """
        parts: list[_Name | str] = []
        end = 0
        for found in _PART.finditer(text):
            if found.start() != end:
                break
            end = found.end()
            name, filters, literal = found.groups()
            parts.append(literal if name is None else _Name(name.strip(), _filters(filters)))
        if end != len(text):
            raise ValueError("names in braces such as {subject_id}, each brace with its fellow")
        return cls(text, tuple(parts))

    @property
    def names(self) -> tuple[str, ...]:
        """The values that it needs, in order."""
        return tuple(part.name for part in self.parts if isinstance(part, _Name))

    def fill(self, values: Mapping[str, Column], rows: int) -> Column:
        """The text for each of `rows` rows; null where one of its values is null or unknown."""
        filled: list[Column] = []
        for part in self.parts:
            column = pa.repeat(part, rows) if isinstance(part, str) else part.fill(values)
            if column is None:
                return pa.nulls(rows, pa.string())
            filled.append(column)
        if len(filled) == 1:
            return filled[0]
        return pc.binary_join_element_wise(*filled, pa.repeat("", rows))


def _filters(text: str) -> tuple[Callable[[Column], Column], ...]:
    return tuple(_filter(part.strip()) for part in text.split("|")[1:])


def _filter(text: str) -> Callable[[Column], Column]:
    name, _, number = text.partition(":")
    if name in _FILTERS and not number:
        return _FILTERS[name]
    if name in _NUMBERED and number.isdecimal() and 1 <= int(number) <= 99:
        return lambda values: _NUMBERED[name](values, int(number))
    raise ValueError(f"filters out of {', '.join(FILTERS)}, with N from 1 to 99")
