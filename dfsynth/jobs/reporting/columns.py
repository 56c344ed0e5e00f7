"""Columns of the manifest → the columns of a report."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dfsynth.manifest import ManifestSchema, default_score, read_numbers
from dfsynth.manifest.findings import NONE, UNKNOWN
from dfsynth.records import Column
from dfsynth.report.browser import GroupColumn, NumberColumn
from dfsynth.report.browser.columns import MOST_LABELS
from dfsynth.score import SCORE_COLUMNS

End: TypeAlias = Literal["high", "low"]

_OTHERS: Final = "(others)"
_IMAGE_GROUPS: Final = {
    "findings": "finding",
    "view": "view",
    "source": "source",
    "split": "split",
    "flags": "flag",
}
_PAIR_GROUPS: Final = {
    "origin": "origin",
    "split": "split",
    "truth": "truth",
    "projection": "projection",
    "opacity": "opacity",
    "look": "look",
    "pet_kind": "PET",
    "flags": "flag",
}
_NO_MEASURES: Final = frozenset({"row", "shard", "seed", "seconds"})
"""Numbers of pairs that say nothing of an image."""


@dataclass(frozen=True, slots=True, eq=False)
class ReportColumns:
    """What a report says of every finished image."""

    numbers: tuple[NumberColumn, ...]
    groups: tuple[GroupColumn, ...]
    empty: tuple[str, ...]
    """Names of the columns of numbers that are null in every image."""
    ungrouped: tuple[str, ...]
    """Names of the columns of groups that are null in every image."""
    default: str | None
    """The column of the first threshold."""


def report_columns(done: pa.Table, schema: ManifestSchema) -> ReportColumns:
    """The columns of finished rows that a report shows.

    Args:
        done: Rows of the manifest with status ok.
        schema: Of the store.
    """
    pairs = schema.is_of_pairs
    described = _pair_numbers(done, schema) if pairs else _scores(done, schema)
    numbers = [column for column in described if np.isfinite(column.values).any()]
    known = _PAIR_GROUPS if pairs else _IMAGE_GROUPS
    # Pairs of one task have columns that those of another lack.
    titles = {name: title for name, title in known.items() if name in done.column_names}
    held = {name: title for name, title in titles.items() if _says_something(done, name)}
    names = [column.name for column in numbers]
    first = None if pairs or not names else default_score(done)
    return ReportColumns(
        numbers=tuple(numbers),
        groups=tuple(_group(done, name, title) for name, title in held.items()),
        empty=tuple(column.name for column in described if column.name not in names),
        ungrouped=tuple(titles[name] for name in titles if name not in held),
        default=first if first in names else next(iter(names), None),
    )


def _scores(done: pa.Table, schema: ManifestSchema) -> list[NumberColumn]:
    columns = {column.name: column for column in schema.columns}
    return [
        _number(done, columns[score.name], score.unusual)
        for score in SCORE_COLUMNS
        # Stores of earlier versions lack some, which are null in their rows.
        if score.name in done.column_names and score.name in columns
    ]


def _pair_numbers(done: pa.Table, schema: ManifestSchema) -> list[NumberColumn]:
    return [
        _number(done, column, None)
        for column in schema.columns
        if column.type in ("int16", "int32", "float32") and column.name not in _NO_MEASURES
    ]


def _number(done: pa.Table, column: Column, unusual: End | None) -> NumberColumn:
    values = read_numbers(done, column.name)
    return NumberColumn(
        name=column.name,
        description=column.description,
        unit=column.unit,
        unusual=unusual,
        values=values.astype(np.float32),
        has_nan=int(np.isnan(values).sum()) > done[column.name].null_count,
    )


def _says_something(done: pa.Table, name: str) -> bool:
    column = done[name]
    if column.null_count == len(column):
        return False
    # Of lists that are never null: whether any holds something.
    return not pa.types.is_list(column.type) or len(pc.list_flatten(column)) > 0


def _group(done: pa.Table, name: str, title: str) -> GroupColumn:
    column: Any = done[name].combine_chunks()  # of one type or the other: the next line asks
    if pa.types.is_list(column.type):
        owners, texts = _entries(column)
        labels, codes = _coded(texts)
        counts = np.bincount(owners, minlength=len(column))
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32)
        return GroupColumn(name, title, labels, codes, offsets)
    labels, codes = _coded(_named(column))
    return GroupColumn(name, title, labels, codes, None)


def _entries(column: "pa.ListArray[Any]") -> tuple[NDArray[np.int64], Any]:
    """The row of each entry and its text, each once in a row; a word where a row has none.

    As `dfsynth.manifest.count_findings` counts.
    """
    lengths = pc.fill_null(pc.list_value_length(column), -1).to_numpy()
    bare = [np.flatnonzero(lengths == -1), np.flatnonzero(lengths == 0)]
    words = [UNKNOWN] * bare[0].size + [NONE] * bare[1].size
    owners = pa.concat_arrays(
        [
            pc.list_parent_indices(column).cast(pa.int64()),
            pa.array(np.concatenate(bare), pa.int64()),
        ]
    )
    texts = pa.concat_arrays([_named(pc.list_flatten(column)), pa.array(words, pa.string())])
    once = pa.table({"row": owners, "text": texts}).group_by(["row", "text"]).aggregate([])
    ordered = once.sort_by([("row", "ascending"), ("text", "ascending")])
    return ordered["row"].to_numpy(), ordered["text"].combine_chunks()


def _named(texts: Any) -> Any:
    """The texts, an Arrow array, with a word for those that are null or empty."""
    return pc.if_else(pc.equal(pc.fill_null(texts, ""), pa.scalar("")), UNKNOWN, texts)


def _coded(texts: Any) -> tuple[tuple[str, ...], NDArray[np.uint16]]:
    """The labels, the commonest first, and that of each text of an Arrow array.

    Where there are too many, rare ones share one.
    """
    encoded: Any = pc.dictionary_encode(texts)
    names = encoded.dictionary.to_pylist()
    found = encoded.indices.to_numpy()
    counts = np.bincount(found, minlength=len(names))
    order = sorted(range(len(names)), key=lambda n: (-counts[n], names[n]))
    shown, rest = order[:MOST_LABELS], order[MOST_LABELS:]
    rank = np.full(len(names), len(shown), np.uint16)
    rank[np.array(shown, np.int64)] = np.arange(len(shown))
    labels = [names[n] for n in shown] + ([_OTHERS] if rest else [])
    return tuple(labels), rank[found]


def labels_of(groups: Iterable[GroupColumn], position: int) -> list[str]:
    """The labels of one image, those that say that nothing is said left out."""
    found = []
    for group in groups:
        if group.offsets is None:
            codes: Sequence[int] = [int(group.codes[position])]
        else:
            first, last = group.offsets[position : position + 2]
            codes = group.codes[first:last].tolist()
        found += [group.labels[code] for code in codes]
    return [label for label in found if label not in (UNKNOWN, NONE)]
