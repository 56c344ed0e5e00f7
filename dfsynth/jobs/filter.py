"""`dfsynth filter`: choose rows of the manifest and write them with their provenance."""

import json
from dataclasses import dataclass
from pathlib import Path

from dfsynth.errors import UsageError
from dfsynth.manifest import FindingCount, score_column, select, write_selection
from dfsynth.store import StoreLayout
from dfsynth.store.record import read_record


@dataclass(frozen=True, slots=True)
class Filtered:
    """How many images passed, in all and of each finding."""

    store: str
    kept: int
    total: int
    """Rows with status ok."""
    no_lung: int
    """Of those, rows left out because no lung was found on them."""
    findings: tuple[FindingCount, ...]
    out: Path | None


def filter_manifest(
    store: Path,
    where: str | None,
    keep: float | None,
    by: str | None,
    include_no_lung: bool = False,
    out: Path | None = None,
) -> Filtered:
    """Selects rows by a SQL predicate, by the lowest share of a column, or both in this order.

    `by` is `uncertainty` where only `keep` is given.

    Failed rows never pass; images without lung only with `include_no_lung`. With `out`, writes
    the kept rows as Parquet with the store's provenance and the filter in its metadata.

    Raises:
        UsageError: there is no store, `out` lies in it, or a bad predicate, share or column.
        StoreError: the store is damaged, or `out` cannot be written.
    """
    layout = StoreLayout(store)
    record = read_record(layout.build)
    if out is not None:
        _check_outside(out, store)
    by = score_column(keep, by)
    chosen = select(layout.manifest, where, keep, by, include_no_lung, record.manifest_schema)
    if out is not None:
        provenance = {name: json.dumps(value) for name, value in record.attributes().items()}
        provenance["filter"] = json.dumps(
            {"where": where, "keep": keep, "by": by, "include_no_lung": include_no_lung}
        )
        write_selection(out, chosen, provenance)
    return Filtered(
        store=str(store),
        kept=chosen.kept,
        total=chosen.total,
        no_lung=chosen.no_lung,
        findings=chosen.findings,
        out=out,
    )


def _check_outside(out: Path, store: Path) -> None:
    """A file among the parts would be read as one of them; one in `run` could replace the plan.

    Raises:
        UsageError: `out` lies in the store's folder.
    """
    # The folder is resolved and not the file: a link is replaced, and not followed.
    if (out.parent.resolve() / out.name).is_relative_to(store.resolve()):
        raise UsageError(
            f"cannot write the selection to {out}: it lies in the store {store}, which holds its "
            "own files only; name a file beside the store"
        )
