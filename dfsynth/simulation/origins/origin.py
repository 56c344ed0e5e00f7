"""What each origin of pairs offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from dfsynth.records import MadePair, PairItem, Subject


@dataclass(frozen=True, slots=True)
class SubjectListing:
    """What an origin has to make pairs of."""

    lines: Sequence[Subject]
    """One for each pair asked for; fewer, that is none, where no input can be used."""
    excluded: Mapping[str, int]
    """How many inputs cannot be used, by reason."""
    warnings: Sequence[str]
    by_pair_index: bool = False
    """Whether line i is that of pair i, whatever the others are made of; else it is that of the
    origin's own i-th pair."""


class Origin(Protocol):
    """Inputs that pairs are made of."""

    def list_subjects(self, count: int) -> SubjectListing:
        """The subjects of `count` pairs; line i does not depend on `count`.

        Raises:
            UsageError: a folder that cannot be used at all.
        """

    def fingerprint(self) -> str:
        """A hash of its inputs' names, sizes and times of change; quick."""


class PairOrigin(Origin, Protocol):
    """Phantoms, volumes, their slices or radiographs; called by several threads at once."""

    def make(self, item: PairItem) -> MadePair:
        """Makes one pair; it depends on the item and the options alone.

        Raises:
            ImageError: this pair cannot be made.
            DfsynthError: an input that was there is gone; the run ends.
        """
