"""The numbers of one column of a manifest, by which rows are ranked."""

import difflib

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dfsynth.errors import UsageError


class MissingColumnError(UsageError):
    """Rows were to be chosen by a column that is not there, or null in every one of them."""


def read_numbers(rows: pa.Table, name: str) -> NDArray[np.float64]:
    """The numbers of the column `name`, (rows), in its unit; NaN where it is null.

    Raises:
        MissingColumnError: no such column.
        UsageError: one that holds no numbers.
    """
    if name not in rows.column_names:
        known = [field.name for field in rows.schema if _is_number(field.type)]
        near = difflib.get_close_matches(name.lower(), known, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise MissingColumnError(
            f"the manifest has no column {name!r}; {meant}expected a column of numbers: "
            f"{', '.join(known)}"
        )
    kind = rows.schema.field(name).type
    if not _is_number(kind):
        raise UsageError(f"column {name!r} holds {kind}; expected a column of numbers to rank by")
    return rows[name].cast(pa.float64()).to_numpy()


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))
