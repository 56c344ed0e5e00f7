"""A store in a notebook: what it holds, how far it is, and what made it."""

from collections import Counter
from collections.abc import Mapping

import pyarrow as pa

from dfsynth.counted_nouns import counted
from dfsynth.report import facts_markup
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.pairs_record import PairsRecord


def summary_markup(
    path: str, record: BuildRecord | PairsRecord, committed: pa.Table | None, damage: str
) -> str:
    """The summary of a store as HTML, escaped.

    Args:
        path: Where it lies.
        record: What it was made from.
        committed: The column `status` of its committed rows; null where it cannot be read.
        damage: Why not.
    """
    height, width = record.fingerprint.size
    grid = f"{height} × {width} pixels"
    rows = damage if committed is None else _rows(record, committed)
    arrays = ", ".join(f"{array.name} ({array.dtype})" for array in record.arrays)
    facts = {"rows": rows, "maps": arrays, "grid": grid, **_origin(record)}
    return facts_markup(f"Store {path}", facts, str(record.provenance()["notice"]))


def _rows(record: BuildRecord | PairsRecord, committed: pa.Table) -> str:
    """How many rows are there, how many failed, and whether the store is finished."""
    planned, done = record.cut.inputs, committed.num_rows
    failed = Counter(committed["status"].to_pylist())["failed"]
    text = f"{done} of {planned}: half built" if done < planned else f"{done}"
    return f"{text}, {failed} failed" if failed else text


def _origin(record: BuildRecord | PairsRecord) -> Mapping[str, str]:
    if isinstance(record, PairsRecord):
        return {"origin": record.fingerprint.origin, "seed": str(record.fingerprint.seed)}
    held = record.fingerprint
    samples = counted(held.mc_samples, "sample") if held.mc == "full" else "fast sampling"
    if held.sampling is not None:
        samples += f" by {held.sampling.words}"
    return {
        "generator": f"{record.checkpoint}, {samples}, seed {held.seed}, {held.precision}",
        "source": f"{held.source}, license: {record.source_license}",
    }
