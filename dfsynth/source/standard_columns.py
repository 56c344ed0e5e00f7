"""What tables, shards and members of tars call the facts of an image, and how they are typed."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import pyarrow as pa

from dfsynth.source import columns, metadata
from dfsynth.source.schema import Column

_TEXTS: Final = ("image_id", "patient_id", "view", "sex", "split")
_LENGTHS: Final = ("width_mm", "height_mm")
STANDARD_NAMES: Final = (*_TEXTS, *_LENGTHS, "age", "findings")
_SEPARATORS: Final = "|;"


def standard_headers(headers: Iterable[str]) -> dict[str, str]:
    """Our name → the header that gives it; the first of each, whatever its case."""
    by_key = {metadata.key(header): header for header in reversed([*headers])}
    return {name: by_key[name] for name in STANDARD_NAMES if name in by_key}


def typed(chunk: Mapping[str, Column], unread: Counter[str]) -> dict[str, Column]:
    """Columns of text → columns of a listing; `unread` counts the texts that gave no value."""
    found = dict(chunk)
    if "age" in chunk:
        found["age"], bad = columns.ages(chunk["age"])
        unread["age"] += bad
    for name in _LENGTHS:
        if name in chunk:
            numbers, bad = columns.lengths(chunk[name])
            found[name] = numbers.cast(pa.float32(), safe=False)
            unread[name] += bad
    if "findings" in chunk:
        found["findings"] = columns.findings(chunk["findings"], _SEPARATORS)
    return found
