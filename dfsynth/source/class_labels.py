"""Numbered classes of a Parquet shard → findings, by the names that the shard itself keeps."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from dfsynth.source.schema import CHUNK_ROWS, ChunkedColumn, Column

_KEY: Final = b"huggingface"
_COLUMNS: Final = ("labels", "label")


@dataclass(frozen=True, slots=True)
class ClassLabels:
    """A column of class numbers, one or a list a row, and what the numbers mean."""

    column: str
    names: tuple[str, ...]

    def findings(self, file: pq.ParquetFile) -> ChunkedColumn:
        """The names of each row's classes; null where a row has none, or an unknown number."""
        chunks: list[Column] = [
            pa.array(map(self._named, batch.column(0).to_pylist()), pa.list_(pa.string()))
            for batch in file.iter_batches(CHUNK_ROWS, columns=[self.column])
        ]
        return pa.chunked_array(chunks or [pa.array([], pa.list_(pa.string()))])

    def _named(self, value: object) -> list[str] | None:
        numbers = value if isinstance(value, list) else [value]
        known = [n for n in numbers if isinstance(n, int) and 0 <= n < len(self.names)]
        return [self.names[n] for n in known] if len(known) == len(numbers) else None


def labels_of(schema: pa.Schema) -> ClassLabels | None:
    """The column label or labels, where the metadata of `datasets` of Hugging Face name classes."""
    try:
        kept = json.loads((schema.metadata or {}).get(_KEY, b"null"))
    except (ValueError, RecursionError):
        return None
    features = _inside(_inside(kept, "info"), "features")
    for column in _COLUMNS:
        feature = _inside(features, column)
        names = _inside(feature, "names") or _inside(_inside(feature, "feature"), "names")
        if column in schema.names and isinstance(names, Sequence) and not isinstance(names, str):
            return ClassLabels(column, tuple(map(str, names)))
    return None


def _inside(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, Mapping) else None
