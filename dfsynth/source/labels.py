"""Findings of a corpus: positive, negative and uncertain, kept apart; blank is none of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dfsynth.source.corpus import Labels
from dfsynth.source.schema import Column

POSITIVE: Final = "findings"
NEGATIVE: Final = "findings_negative"
UNCERTAIN: Final = "findings_uncertain"
FINDING_LISTS: Final = (POSITIVE, NEGATIVE, UNCERTAIN)
LISTS: Final = pa.list_(pa.string())
_ANY: Final = "*"

Groups = NDArray[np.int64]


@dataclass(slots=True)
class FindingPairs:
    """(image, finding) pairs, gathered from whatever forms a table has."""

    groups: list[Groups] = field(default_factory=list)
    """Numbers of images, one for each of `values`."""
    values: list[Column] = field(default_factory=list)
    known: list[Groups] = field(default_factory=list)
    """Numbers of images of which something is said, though it may be an empty list."""

    def add(self, groups: Groups, values: Column, known: Groups) -> None:
        """More pairs, and of which images something is said."""
        self.groups.append(groups)
        self.values.append(values)
        self.known.append(known)

    def lists(self, count: int) -> Column:
        """A list for each of `count` images, each finding once, in order; null where unknown."""
        values = pa.concat_arrays([pa.array([], pa.string()), *self.values])
        groups = np.concatenate([np.empty(0, np.int64), *self.groups])
        said = pc.is_valid(values).to_numpy(zero_copy_only=False)
        values, groups = values.filter(pc.is_valid(values)), groups[said]
        codes = values.dictionary_encode()
        pair = groups * max(len(codes.dictionary), 1) + codes.indices.to_numpy()
        first = np.sort(np.unique(pair, return_index=True)[1])
        order = first[np.argsort(groups[first], kind="stable")]
        ends = np.zeros(count + 1, np.int32)
        np.cumsum(np.bincount(groups[order], minlength=count), out=ends[1:])
        known = np.zeros(count, bool)
        for part in self.known:
            known[part] = True
        offsets = pa.array(ends, pa.int32())
        found = values.take(pa.array(order, pa.int64()))
        return pa.ListArray.from_arrays(offsets, found, type=LISTS, mask=pa.array(~known))


def list_pairs(lists: Column, groups: Groups) -> tuple[Groups, Column, Groups]:
    """The pairs of a column of lists, of rows that are about the images `groups`."""
    parents = pc.list_parent_indices(lists).to_numpy()
    return groups[parents], pc.list_flatten(lists), groups[_mask(pc.is_valid(lists))]


@dataclass(frozen=True, slots=True)
class LabelStates:
    """How many rows of each image say what of each label, and which cells say nothing known."""

    names: tuple[str, ...]
    counts: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]
    """Positive, negative, uncertain: (image, label) each."""
    unknown: Mapping[str, NDArray[np.bool_]]
    """Header → rows whose cell is filled with something else."""


def count_states(
    cells: Mapping[str, Column], labels: Labels, groups: Groups, count: int
) -> LabelStates:
    """What columns with a state each say of `count` images; `groups` says whose each row is."""
    found = [header for header in labels.names if header in cells]
    shape = (count, len(found))
    counts = (np.zeros(shape, np.int32), np.zeros(shape, np.int32), np.zeros(shape, np.int32))
    unknown = {}
    for number, header in enumerate(found):
        plain = _plain(cells[header])
        rest = _mask(pc.is_valid(plain))
        for words, counted in zip(_states(labels), counts, strict=True):
            named = pa.array([_plain_word(word) for word in words if word != _ANY], pa.string())
            hit = rest & _mask(pc.is_in(plain, value_set=named, skip_nulls=True))
            rest &= ~hit
            counted[:, number] += np.bincount(groups[hit], minlength=count).astype(np.int32)
        for words, counted in zip(_states(labels), counts, strict=True):
            if _ANY in words:
                counted[:, number] += np.bincount(groups[rest], minlength=count).astype(np.int32)
                rest = np.zeros_like(rest)
        unknown[header] = rest
    return LabelStates(tuple(labels.names[header] for header in found), counts, unknown)


def add_states(
    pairs: Mapping[str, FindingPairs], states: LabelStates, names: Column, by_majority: bool
) -> None:
    """Adds what labels of these names say to the positive, negative and uncertain pairs.

    One positive row makes a label positive, and else an uncertain one uncertain. By majority,
    more than half of the rows must say so; where some say positive and too few, it is uncertain.
    """
    positive, negative, uncertain = states.counts
    total = positive + negative + uncertain
    yes = 2 * positive > total if by_majority else positive > 0
    no = (negative > 0) & (positive == 0) & (uncertain == 0)
    if by_majority:
        no |= (2 * negative > total) & (positive == 0)
    unsure = (total > 0) & ~yes & ~no
    known = np.flatnonzero((total > 0).any(axis=1))
    for kind, mask in zip(FINDING_LISTS, (yes, no, unsure), strict=True):
        images, labels = np.nonzero(mask)
        pairs[kind].add(images, names.take(pa.array(labels, pa.int64())), known)


def _states(labels: Labels) -> Sequence[tuple[str, ...]]:
    return labels.positive, labels.negative, labels.uncertain


def _plain(values: Column) -> Column:
    """Numbers in one spelling: 1, +1 and 1.0 are equal; texts without case."""
    whole = pc.replace_substring_regex(pc.utf8_lower(values), r"^\+?(-?\d+)\.0*$", r"\1")
    return pc.replace_substring_regex(whole, r"^\+(\d+)$", r"\1")


def _plain_word(word: str) -> str:
    return str(_plain(pa.array([word], pa.string()))[0].as_py())


def _mask(values: Column) -> NDArray[np.bool_]:
    said = pc.and_(pc.is_valid(values), values)
    return said.to_numpy(zero_copy_only=False) == 1
