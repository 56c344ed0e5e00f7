"""The licences of a folder's files, from a table beside them."""

from pathlib import Path
from typing import Final

from dfsynth.errors import UsageError
from dfsynth.files.text_table import read_text_table

LICENSES: Final = "licenses.csv"
"""At the root of the folder, with the columns `file` (path below the root) and `license`."""
UNKNOWN_LICENSE: Final = "unknown"


def read_licenses(path: Path) -> dict[str, str]:
    """{path below the root: licence} from the table at `path`; nothing where there is none.

    A file whose licence is left empty has that of `UNKNOWN_LICENSE`.

    Raises:
        UsageError: it is no table of text with the columns `file` and `license`.
    """
    table = read_text_table(path)
    if table is None:
        return {}
    if not {"file", "license"} <= set(table.columns):
        raise UsageError(
            f"{path} has the columns {', '.join(table.columns)}; expected file and license"
        )
    return {row["file"]: row["license"] or UNKNOWN_LICENSE for row in table.rows}
