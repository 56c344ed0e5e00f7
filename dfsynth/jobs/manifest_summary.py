"""What the manifest of a store says as a whole: counts, and how the scores are spread.

Reading a part takes more than a millisecond, and forty thousand of them a minute. So that of a
large store is kept in a file beside the plan, with a digest of what all parts looked like; where
one looks otherwise by now, or where there is no such file, the parts are read. It is no record.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.errors import StoreError
from dfsynth.files.durable import write_durably
from dfsynth.jobs.failure_counts import KEPT_FROM, look_at_parts
from dfsynth.manifest import ManifestSchema, read_manifest, score_quantiles
from dfsynth.score import NO_SCORES
from dfsynth.store import StoreLayout
from dfsynth.store.layout import SUMMARY_OWNER

_COUNTED: Final = {
    "status": "status",
    "errors": "error_code",
    "flags": "flags",
    "origins": "origin",
    "splits": "split",
}
"""What is counted, and in which column."""
_LOOK: Final = "parts"


@dataclass(frozen=True, slots=True)
class ManifestSummary:
    """Of all committed rows."""

    rows: int
    status: Mapping[str, int]
    """How often each value comes, as of the other columns."""
    errors: Mapping[str, int]
    flags: Mapping[str, int]
    origins: Mapping[str, int]
    """Of pairs; empty for images."""
    splits: Mapping[str, int]
    scores: Mapping[str, Mapping[str, float]]
    """Score → quantile → value, over the finished images that have it; empty for pairs."""


def summarise_manifest(layout: StoreLayout, schema: ManifestSchema) -> ManifestSummary:
    """The summary of a store's manifest, by what is kept of it or by its parts.

    Args:
        layout: Of the store.
        schema: The one that its parts have.

    Raises:
        StoreError: the manifest is damaged.
    """
    looks = look_at_parts(layout)
    if len(looks) >= KEPT_FROM and (kept := _read(layout, _digest(looks))):
        return kept
    table = read_manifest(layout.manifest, schema, (*_COUNTED.values(), *NO_SCORES))
    return keep_summary(layout, looks, table)


def keep_summary(
    layout: StoreLayout, looks: Mapping[int, list[int]], table: pa.Table
) -> ManifestSummary:
    """The summary of a manifest that was read, which is kept where the store is large.

    Args:
        layout: Of the store.
        looks: What `look_at_parts` gave before the manifest was read.
        table: The manifest, with the columns that are counted and all scores that it has.

    Raises:
        StoreError: the manifest's folder cannot be listed.
    """
    summary = ManifestSummary(
        rows=table.num_rows,
        scores=score_quantiles(table, tuple(NO_SCORES)),
        **{name: _counts(table, column) for name, column in _COUNTED.items()},
    )
    # A part that was written meanwhile may be in the table, and looks otherwise now.
    if len(looks) >= KEPT_FROM and look_at_parts(layout) == looks:
        _keep(layout, _digest(looks), summary)
    return summary


def _counts(table: pa.Table, column: str) -> dict[str, int]:
    """How often each text comes, in the order of the first of each; of lists their elements."""
    if column not in table.column_names:
        return {}
    values: Any = table[column]
    if pa.types.is_list(values.type):
        values = pc.list_flatten(values)
    counted: Any = pc.value_counts(values.drop_null())
    return {str(line["values"]): int(line["counts"]) for line in counted.to_pylist()}


def _digest(looks: Mapping[int, list[int]]) -> str:
    """Of the parts as they look, and of what is asked of them."""
    asked = json.dumps([sorted(looks.items()), list(_COUNTED.values()), list(NO_SCORES)])
    return hashlib.blake2b(asked.encode(), digest_size=16).hexdigest()


def _keep(layout: StoreLayout, digest: str, summary: ManifestSummary) -> None:
    """Writes it, without a lock: it is whole or not there, and counts for its own parts alone.

    Where it cannot be written, as on a disk that takes nothing, the parts are read each time.
    """
    content = json.dumps({_LOOK: digest, **asdict(summary)}).encode()
    with suppress(StoreError):
        write_durably(layout.summary, content, layout.scratch, SUMMARY_OWNER)


def _read(layout: StoreLayout, digest: str) -> ManifestSummary | None:
    """What is kept; None where it is of other parts, or no summary of ours."""
    try:
        held = json.loads(layout.summary.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(held, dict) or held.pop(_LOOK, None) != digest:
        return None
    kinds = {field.name: dict for field in fields(ManifestSummary)} | {"rows": int}
    return ManifestSummary(**held) if {n: type(v) for n, v in held.items()} == kinds else None
