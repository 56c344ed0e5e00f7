"""The licences of a folder's files, from a table beside them."""

import csv
from pathlib import Path
from typing import Final

from dfsynth.errors import UsageError

LICENSES: Final = "licenses.csv"
"""At the root of the folder, with the columns `file` (path below the root) and `license`."""
UNKNOWN_LICENSE: Final = "unknown"


def read_licenses(path: Path) -> dict[str, str]:
    """{path below the root: licence} from the table at `path`; nothing where there is none.

    A file whose licence is left empty has that of `UNKNOWN_LICENSE`.

    Raises:
        UsageError: it is no table of text with the columns `file` and `license`.
    """
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"file", "license"} <= set(rows.fieldnames or ()):
                raise UsageError(
                    f"{path} has the columns {rows.fieldnames}; expected file and license"
                )
            return {
                (row["file"] or "").strip(): (row["license"] or "").strip() or UNKNOWN_LICENSE
                for row in rows
            }
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is no readable table of text: {error}") from error
