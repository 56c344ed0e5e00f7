"""Failed images by code, with the sentences that say why."""

from collections import Counter
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.report.browser import FailureKind, FailureSentence

_MOST_SENTENCES: Final = 20
"""Of one code."""
_EXAMPLES: Final = 3


def describe_failures(rows: pa.Table) -> tuple[FailureKind, ...]:
    """The failed ones of `rows` of a manifest, the commonest code first."""
    failed = rows.filter(pc.equal(rows["status"], pa.scalar("failed")))
    counts: dict[str, Counter[str]] = {}
    examples: dict[tuple[str, str], list[str]] = {}
    columns = (failed[name].to_pylist() for name in ("error_code", "error", "image_id"))
    for code, sentence, name in zip(*columns, strict=True):
        key = (code or "unknown", sentence or "no sentence was kept")
        counts.setdefault(key[0], Counter())[key[1]] += 1
        named = examples.setdefault(key, [])
        if len(named) < _EXAMPLES:
            named.append(name)
    kinds = [_kind(code, found, examples) for code, found in counts.items()]
    return tuple(sorted(kinds, key=lambda kind: (-kind.count, kind.code)))


def _kind(
    code: str, found: Counter[str], examples: dict[tuple[str, str], list[str]]
) -> FailureKind:
    listed = found.most_common(_MOST_SENTENCES)
    return FailureKind(
        code=code,
        count=found.total(),
        sentences=tuple(
            FailureSentence(text, count, tuple(examples[code, text])) for text, count in listed
        ),
        unlisted=found.total() - sum(count for _, count in listed),
    )
