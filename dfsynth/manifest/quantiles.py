"""How each score is spread over the images of a store: what a threshold can be picked from."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.manifest.number_column import read_numbers

QUANTILES: Final[Mapping[str, float]] = {
    "p05": 0.05,
    "p25": 0.25,
    "median": 0.5,
    "p75": 0.75,
    "p95": 0.95,
}


def score_quantiles(table: pa.Table, scores: Sequence[str]) -> dict[str, dict[str, float]]:
    """The quantiles of each score over the rows with status ok, in the unit of the score.

    Rows without a number are left out, and so is a score that no row has.

    Args:
        table: Rows of a manifest.
        scores: Columns of numbers; those that the table lacks are left out.
    """
    held = [name for name in scores if name in table.column_names]
    ok = table.select(held).filter(pc.equal(table["status"], pa.scalar("ok")))
    found = {}
    for name in held:
        values = read_numbers(ok, name)
        known = values[~np.isnan(values)]
        if known.size:
            marks = np.quantile(known, list(QUANTILES.values()))
            found[name] = dict(zip(QUANTILES, map(float, marks), strict=True))
    return found
