"""Whose a folder's volumes are, from a table beside them."""

from pathlib import Path
from typing import Final

from dfsynth.errors import UsageError
from dfsynth.files.text_table import read_text_table
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
    table = read_text_table(path)
    if table is None:
        return {}
    person = next((name for name in PERSON_COLUMNS if name in table.columns), None)
    if "file" not in table.columns or person is None:
        raise UsageError(
            f"{path} has the columns {', '.join(table.columns)}; expected file and "
            f"one of {', '.join(PERSON_COLUMNS)}; name the column so, or remove the table"
        )
    return {row["file"]: row[person] for row in table.rows if row[person]}


def read_label_licenses(path: Path) -> dict[str, str]:
    """{path below the root: licence} from the same table, where it has such a column.

    Raises:
        UsageError: it is no table of text.
    """
    table = read_text_table(path)
    if table is None or not {"file", "license"} <= set(table.columns):
        return {}
    return read_licenses(path)
