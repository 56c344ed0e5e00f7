"""Text of tables → typed columns, whole chunks at a time."""

from collections.abc import Mapping
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.source.schema import Column

_NULL_TEXTS: Final = ("", "nan", "NaN", "NULL", "null", "None", "<NA>")
_AGE: Final = r"^(?P<number>\d+(?:\.\d*)?)\s*(?P<unit>[YyMmWwDd]?)$"
_NUMBER: Final = r"^[+]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
_YEARS_IN_UNIT: Final = {"M": 12.0, "W": 365.25 / 7, "D": 365.25}
_NO_TEXT: Final = pa.scalar(None, pa.string())
_NO_NUMBER: Final = pa.scalar(None, pa.float64())
OLDEST_YEARS: Final = 120.0
"""Ages above this one are taken for typing errors."""


def texts(values: Column) -> Column:
    """Any column as text without outer blanks; null where it says nothing.

    Raises:
        pa.ArrowInvalid, pa.ArrowNotImplementedError: the column has no text form.
    """
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    trimmed = pc.utf8_trim_whitespace(values.cast(pa.string()))
    nothing = pc.is_in(trimmed, value_set=pa.array(_NULL_TEXTS))
    return pc.if_else(nothing, _NO_TEXT, trimmed)


def ages(values: Column, oldest_years: float = OLDEST_YEARS) -> tuple[Column, int]:
    """Text such as 58, 58.5, 058Y, 006M, 003W or 012D → years as float32.

    Returns:
        The ages, null where there is none, and how many texts gave none: no number, or above
        `oldest_years`.
    """
    found = pc.extract_regex(values, _AGE)
    number = found.field("number") if len(values) else pa.array([], pa.string())
    unit = pc.utf8_upper(found.field("unit") if len(values) else pa.array([], pa.string()))
    # A struct without a match is null, but its fields hold "": cast only what matched.
    years = pc.if_else(pc.is_valid(found), number, _NO_TEXT).cast(pa.float64())
    for letter, per_year in _YEARS_IN_UNIT.items():
        years = pc.if_else(pc.equal(unit, pa.scalar(letter)), pc.divide(years, per_year), years)
    years = pc.if_else(
        pc.less_equal(years, pa.scalar(oldest_years, pa.float64())), years, _NO_NUMBER
    )
    return years.cast(pa.float32(), safe=False), years.null_count - values.null_count


def lengths(values: Column) -> tuple[Column, int]:
    """Text → positive numbers as float64.

    Returns:
        The numbers, null where there is none, and how many texts gave none.
    """
    is_number = pc.match_substring_regex(values, _NUMBER)
    texts_of_numbers = pc.if_else(is_number, values, _NO_TEXT)
    numbers = texts_of_numbers.cast(pa.float64())
    sound = pc.and_(pc.greater(numbers, pa.scalar(0.0)), pc.is_finite(numbers))
    numbers = pc.if_else(sound, numbers, _NO_NUMBER)
    return numbers, numbers.null_count - values.null_count


def is_lists(values: Column) -> bool:
    """Whether a column holds a list in each row."""
    return bool(pa.types.is_list(values.type) or pa.types.is_large_list(values.type))


def findings(values: Column, separators: str) -> Column:
    """Text with any of the characters `separators` between findings → lists of findings.

    A column of lists stays as it is. Null where there is no text; "No Finding" stays a finding.
    """
    if is_lists(values):
        return values.cast(pa.list_(pa.string()))
    marks = "".join(f"\\x{{{ord(mark):x}}}" for mark in separators)
    trimmed = pc.utf8_trim(texts(values), separators + " ")
    filled = pc.if_else(pc.equal(trimmed, pa.scalar("")), _NO_TEXT, trimmed)
    return pc.split_pattern_regex(filled, rf"\s*[{marks}][{marks}\s]*")


def unread_sentences(
    unread: Mapping[str, int], oldest_years: float = OLDEST_YEARS
) -> tuple[str, ...]:
    """How many texts of which column gave no value."""
    expected = {"age": f"an age from 0 to {oldest_years:g} years"}
    return tuple(
        f"{count} values of {name} are not {expected.get(name, 'a positive number')} "
        "and became null"
        for name, count in unread.items()
        if count
    )
