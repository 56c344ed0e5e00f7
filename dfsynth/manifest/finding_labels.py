"""Findings as numbers: positive, negative, uncertain and blank, for a classifier to learn from."""

import difflib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dfsynth.errors import UsageError

_POSITIVE: Final = "findings"
_NEGATIVE: Final = "findings_negative"
_UNCERTAIN: Final = "findings_uncertain"
_LISTS: Final = (_POSITIVE, _NEGATIVE, _UNCERTAIN)


def known_findings(manifest: pa.Table) -> tuple[str, ...]:
    """Every finding that a manifest names as present, absent or uncertain, in alphabetical order.

    None of pairs, which have no findings.
    """
    found: set[str] = set()
    for name in _LISTS:
        if name in manifest.column_names:
            names = pc.unique(pc.list_flatten(manifest[name])).drop_null().to_pylist()
            found.update(map(str, names))
    return tuple(sorted(found))


def require_findings(wanted: Sequence[str], known: Sequence[str]) -> None:
    """Requires names of findings that the manifest has, each once, and at least one.

    Raises:
        UsageError: one is unknown or named twice, or there is none.
    """
    if not wanted:
        raise UsageError(
            "found no finding to label images by; expected a store of a corpus that tells findings"
        )
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            meant = f"did you mean {near[0]!r}? " if near else ""
            held = ", ".join(known) or "none"
            raise UsageError(f"no finding {name!r} in the store; {meant}it holds {held}")
    if len(set(wanted)) != len(wanted):
        raise UsageError(f"findings {', '.join(wanted)}: expected each once")


def label_rows(
    rows: pa.Table, names: Sequence[str], uncertain: float, blank: float
) -> NDArray[np.float32]:
    """Labels (rows, findings) float32: 1 where the image has it, 0 where it has not, else as asked.

    A corpus that lists only what images have, and knows neither negative nor uncertain, has no
    blanks: what it does not list of an image is 0. An image of which the corpus says nothing at
    all is NaN, whatever is asked for.

    Args:
        rows: Rows of a manifest of images.
        names: The findings, in the order of the columns.
        uncertain: What stands for an uncertain finding.
        blank: What stands for a finding that the corpus does not mention of an image.
    """
    lists = {name: rows[name].combine_chunks() for name in _LISTS}
    told = {name: _mask(column) for name, column in lists.items()}
    lists_all = told[_POSITIVE] & ~told[_NEGATIVE] & ~told[_UNCERTAIN]
    silent = ~(told[_POSITIVE] | told[_NEGATIVE] | told[_UNCERTAIN])
    labels = np.full((rows.num_rows, len(names)), blank, np.float32)
    labels[lists_all] = 0
    labels[silent] = np.nan
    # In this order: what one table has as positive and another as negative is positive.
    for name, value in ((_NEGATIVE, 0.0), (_UNCERTAIN, uncertain), (_POSITIVE, 1.0)):
        owners = pc.list_parent_indices(lists[name]).to_numpy()
        columns = pc.index_in(pc.list_flatten(lists[name]), pa.array(names, pa.string()))
        asked = _mask(columns)
        labels[owners[asked], columns.drop_null().to_numpy()] = value
    return labels


def positive_weights(labels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Negatives over positives of each finding, (findings), of labels (rows, findings).

    As `pos_weight` of a cross-entropy: positives then weigh as much as negatives. What is neither 0
    nor 1 does not count. 1 where a finding has no positive or no negative image, since there is
    nothing to balance.
    """
    positive, negative = (labels == 1).sum(axis=0), (labels == 0).sum(axis=0)
    balanced = (positive > 0) & (negative > 0)
    return np.where(balanced, negative / np.maximum(positive, 1), 1).astype(np.float32)


def _mask(column: "pa.Array[Any]") -> NDArray[np.bool_]:
    valid: NDArray[np.bool_] = pc.is_valid(column).to_numpy(zero_copy_only=False)
    return valid
