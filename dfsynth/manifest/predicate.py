"""A user's SQL predicate over a table, evaluated where it can reach nothing else.

DuckDB runs in memory with files, network, extensions and Python variables out of reach and its
configuration locked. Before anything is evaluated the text must call known functions only,
parse as one bare expression (so that it cannot close a bracket of ours), give a boolean, and be
allowed in a CHECK constraint, which admits no subquery, aggregate or window function.
"""

import difflib
import re
from collections.abc import Sequence
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dfsynth.counted_nouns import counted
from dfsynth.errors import UsageError
from dfsynth.manifest.predicate_limits import (
    MOST_NESTED,
    MOST_SECONDS,
    limited_time,
    require_modest,
)
from dfsynth.manifest.vocabulary import check_calls

_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "memory_limit": "2GB",
    "threads": "2",
}
_UNKNOWN_COLUMN: Final = re.compile(r'Referenced column "([^"]+)" not found')
_SYNTAX: Final = re.compile(r'syntax error at or near "([^"\n]+)"')
EXAMPLE: Final = "for example: predicted_error < 0.4 AND lung_fraction > 0.1"


def matching_positions(table: pa.Table, predicate: str) -> NDArray[np.int64]:
    """The positions (n), ascending, of rows for which the predicate is true; null is not true.

    Args:
        table: Rows with a unique int64 column `row`, ascending.
        predicate: One SQL expression over the table's columns.

    Raises:
        UsageError: it is no such expression, asks too much of the machine, or cannot be evaluated
            on these rows.
    """
    if not predicate.strip():
        raise UsageError(f"the predicate is empty; expected one SQL condition, {EXAMPLE}")
    require_modest(predicate)
    check_calls(predicate)
    with connect_isolated() as connection:
        connection.register("manifest", table)
        try:
            with limited_time(connection, MOST_SECONDS):
                passed = _filter(connection, predicate)
        except duckdb.Error as error:
            raise UsageError(_explain(error, predicate, table.column_names)) from error
    kept = np.sort(np.asarray(passed, dtype=np.int64))
    return np.searchsorted(table["row"].to_numpy(), kept).astype(np.int64)


def connect_isolated() -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that reaches no file, network, extension or Python variable, locked."""
    connection = duckdb.connect(":memory:", config=_CONFIG)
    connection.execute(f"SET max_expression_depth = {MOST_NESTED}")
    connection.execute("SET lock_configuration = true")
    return connection


def nearest_names(name: str, known: Sequence[str]) -> str:
    """A clause for an error sentence: the known names most like `name`, else all of them."""
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"the columns are {', '.join(known)}"


def _filter(connection: duckdb.DuckDBPyConnection, predicate: str) -> NDArray[np.int64]:
    rows = connection.view("manifest")
    filtered = rows.filter(predicate)
    # Line breaks, so that a comment at the end cannot swallow the bracket.
    bracketed = f"(\n{predicate}\n)"
    types = [str(found) for found in rows.project(f"{bracketed} AS passed").types]
    if types != ["BOOLEAN"]:
        found = types[0].strip('"') if len(types) == 1 else counted(len(types), "value")
        raise UsageError(
            f"the predicate {_quoted(predicate)} gives {found}, not true or false; "
            f"expected a condition, {EXAMPLE}"
        )
    columns = ", ".join(
        f'"{name}" {kind}' for name, kind in zip(rows.columns, rows.types, strict=True)
    )
    connection.execute(f"CREATE TEMP TABLE probe ({columns}, CHECK {bracketed})")
    return filtered.project('"row"').fetchnumpy()["row"]


def _explain(error: duckdb.Error, predicate: str, columns: Sequence[str]) -> str:
    """One sentence of ours; of DuckDB's text only words that the user typed."""
    text = str(error)
    found = f"the predicate {_quoted(predicate)}"
    if "expression depth" in text:
        return f"{found} is nested more than {MOST_NESTED} levels deep; expected a simpler one"
    if (column := _typed(_UNKNOWN_COLUMN, text, predicate)) is not None:
        quoted = f'"{column}"' in predicate
        hint = f"as text write '{column}'" if quoted else nearest_names(column, columns)
        return f"{found} names the column {column!r}, which the manifest lacks; {hint}"
    if isinstance(error, duckdb.ParserException):
        if "subqueries" in text:
            return f"{found} holds a subquery; expected one condition on a row's own columns"
        near = _typed(_SYNTAX, text, predicate)
        where = "" if near is None else f" near {near!r}"
        return f"{found} is not one SQL condition{where}; expected one condition, {EXAMPLE}"
    return f"{found} {_reason(error)}"


def _reason(error: duckdb.Error) -> str:
    if isinstance(error, duckdb.PermissionException):
        return "reaches for a file; it may use nothing but the manifest's columns"
    if isinstance(error, duckdb.OutOfMemoryException):
        return f"needs more than {_CONFIG['memory_limit']} of memory; expected a simpler one"
    if isinstance(error, duckdb.ConversionException):
        return (
            "compares values of types that do not convert; text takes single quotes, numbers "
            "none, and lists are searched with list_contains(findings, 'Effusion')"
        )
    return (
        "cannot be evaluated on the manifest's columns; check the types that it compares "
        f"and the functions that it calls, {EXAMPLE}"
    )


def _typed(pattern: re.Pattern[str], text: str, predicate: str) -> str | None:
    match = pattern.search(text)
    if match is None or match[1].lower() not in predicate.lower():
        return None
    return match[1]


def _quoted(predicate: str) -> str:
    words = " ".join(predicate.split())
    return repr(words if len(words) <= 120 else words[:117] + "...")
