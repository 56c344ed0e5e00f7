"""Small tables of text below a line of names (CSV, UTF-8), as people put them beside files."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dfsynth.errors import UsageError


@dataclass(frozen=True, slots=True)
class TextTable:
    """A whole table."""

    columns: Sequence[str]
    rows: Sequence[Mapping[str, str]]
    """By column, blanks around the values removed; a line that is too short ends in empty ones."""


def read_text_table(path: Path) -> TextTable | None:
    """The table at `path`; None where there is none.

    Raises:
        UsageError: it is no table of text.
    """
    if not path.exists():
        return None
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = tuple(reader.fieldnames or ())
            rows = [{name: (row[name] or "").strip() for name in columns} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is no readable table of text: {error}") from error
    return TextTable(columns, rows)
