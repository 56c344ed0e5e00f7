"""Whose a folder's volumes are, from a table beside them."""

import csv
from pathlib import Path
from typing import Final

from dfsynth.errors import UsageError
from dfsynth.source.licenses import read_licenses

LABELS: Final = "labels.csv"
"""At the root of the folder: `file` (path below the root), and one of `PERSON_COLUMNS`; `license`
where there is no `licenses.csv`."""
PERSON_COLUMNS: Final = ("patient_id", "person", "subject")


def read_people(path: Path) -> dict[str, str]:
    """{path below the root: person} from the table at `path`; nothing where there is none.

    A file whose person is left empty is not among them.

    Raises:
        UsageError: it is no table of text with a column `file` and one of `PERSON_COLUMNS`.
    """
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            found = set(rows.fieldnames or ())
            person = next((name for name in PERSON_COLUMNS if name in found), None)
            if "file" not in found or person is None:
                raise UsageError(
                    f"{path} has the columns {', '.join(rows.fieldnames or ())}; expected file and "
                    f"one of {', '.join(PERSON_COLUMNS)}; name the column so, or remove the table"
                )
            lines = ((_text(row["file"]), _text(row[person])) for row in rows)
            return {name: whose for name, whose in lines if whose}
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is no readable table of text: {error}") from error


def read_label_licenses(path: Path) -> dict[str, str]:
    """{path below the root: licence} from the same table, where it has such a column.

    Raises:
        UsageError: it is no table of text.
    """
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            columns = next(csv.reader(file), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is no readable table of text: {error}") from error
    return read_licenses(path) if {"file", "license"} <= set(columns) else {}


def _text(value: str | None) -> str:
    return (value or "").strip()
