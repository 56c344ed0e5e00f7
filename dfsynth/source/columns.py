"""Text of tables → typed columns, whole chunks at a time."""

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.counted_nouns import counted
from dfsynth.source.schema import Column

_NULL_TEXTS: Final = ("", "nan", "NaN", "NULL", "null", "None", "<NA>")
_AGE: Final = (
    r"^(?:>=?\s*|\[)?(?P<number>\d+(?:\.\d*)?)(?:\s*-\s*(?P<upper>\d+(?:\.\d*)?))?"
    r"\s*(?P<unit>[YyMmWwDd]?)(?:\s*\+|\s+or (?:more|older)|\])?$"
)
_YEAR: Final = r"^(?P<year>\d{4})(?:\.0*|\D.*|\d{4}(?:\D.*)?)?$"
_LIST: Final = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
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
    """Text such as 58, 58.5, 058Y, 006M, 003W, 012D, 40-49 or 85+ → years as float32.

    A range gives its middle; "85+", "85 or more" and ">=85" give 85.

    Returns:
        The ages, null where there is none, and how many texts gave none: no number, or above
        `oldest_years`.
    """
    if not len(values):
        return pa.array([], pa.float32()), 0
    found = pc.extract_regex(values, _AGE)
    years, upper = (_numbers(found, name) for name in ("number", "upper"))
    years = pc.if_else(pc.is_valid(upper), pc.divide(pc.add(years, upper), 2.0), years)
    unit = pc.utf8_upper(pc.struct_field(found, "unit"))
    for letter, per_year in _YEARS_IN_UNIT.items():
        years = pc.if_else(pc.equal(unit, pa.scalar(letter)), pc.divide(years, per_year), years)
    years = pc.if_else(
        pc.less_equal(years, pa.scalar(oldest_years, pa.float64())), years, _NO_NUMBER
    )
    return years.cast(pa.float32(), safe=False), years.null_count - values.null_count


def _numbers(found: Column, name: str) -> Column:
    """A field of a match as numbers; a struct without a match is null, but its fields hold ""."""
    field = pc.struct_field(found, name)
    said = pc.and_(pc.is_valid(found), pc.not_equal(field, pa.scalar("")))
    return pc.if_else(said, field, _NO_TEXT).cast(pa.float64())


def ages_at(births: Column, dates: Column) -> Column:
    """Years from the year of birth to that of the examination, as text.

    Both may be a year, maybe as 1930.0, or a date that starts with one, such as 20140915 or
    2014-09-15. Null where one is missing, or the examination comes first.
    """
    if not len(births):
        return pa.array([], pa.string())
    born, seen = (_numbers(pc.extract_regex(v, _YEAR), "year") for v in (births, dates))
    years = pc.subtract(seen, born)
    return pc.if_else(pc.greater_equal(years, pa.scalar(0.0)), years, _NO_NUMBER).cast(pa.string())


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


def python_lists(values: Column) -> Column:
    """Text such as "['edema', ' mass']" → lists of texts; null where it is no list."""
    read = [
        None
        if text is None or not text.startswith("[")
        else [(single or double).strip() for single, double in _LIST.findall(text)]
        for text in values.to_pylist()
    ]
    return pa.array(read, pa.list_(pa.string()))


def translate(values: Column, words: Mapping[str, str]) -> Column:
    """Texts with the words of `words` replaced, whatever their case; an empty one becomes null."""
    if not words:
        return values
    theirs = pa.array([word.strip().lower() for word in words], pa.string())
    ours = pa.array([word or None for word in words.values()], pa.string())
    places = pc.index_in(pc.utf8_lower(values), value_set=theirs, skip_nulls=True)
    return pc.if_else(pc.is_valid(places), ours.take(places), values)


def translate_lists(values: Column, words: Mapping[str, str]) -> Column:
    """Lists of texts with the words of `words` replaced, whatever their case.

    An empty word leaves its list; a list that held nothing else becomes null.
    """
    if not words:
        return values
    texts = translate(pc.list_flatten(values), words)
    said = pc.is_valid(texts)
    parents = pc.list_parent_indices(values).filter(said).to_numpy()
    counts = np.bincount(parents, minlength=len(values))
    # Null lists have no length, which is not 0.
    nothing = (counts == 0) & (pc.list_value_length(values).to_numpy(zero_copy_only=False) != 0)
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    found = texts.filter(said)
    return pa.ListArray.from_arrays(offsets, found, type=values.type, mask=pa.array(nothing))


def unread_words(name: str, expected: str) -> tuple[str, str]:
    """What follows a count of one value that is not as expected, and of several."""
    return (
        f"value of {name} is not {expected} and became null",
        f"values of {name} are not {expected} and became null",
    )


def unread_sentences(
    unread: Mapping[str, int], oldest_years: float = OLDEST_YEARS
) -> tuple[str, ...]:
    """How many texts of which column gave no value."""
    expected = {"age": f"an age from 0 to {oldest_years:g} years"}
    return tuple(
        counted(count, *unread_words(name, expected.get(name, "a positive number")))
        for name, count in unread.items()
        if count
    )
