"""What each origin of pairs offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from dfsynth.options import SimulateOptions
from dfsynth.records import MadePair, PairItem, Subject


@dataclass(frozen=True, slots=True)
class Survey:
    """What an origin has to make pairs of."""

    lines: Sequence[Subject]
    """One for each pair asked for; fewer, that is none, where no input can be used."""
    excluded: Mapping[str, int]
    warnings: Sequence[str]
    by_number: bool = False
    """Whether line i is that of pair i, whatever the others are made of; else it is that of the
    origin's own i-th pair."""


class Origin(Protocol):
    """Phantoms, CT volumes or radiographs; called by several threads at once."""

    def survey(self, count: int) -> Survey:
        """The subjects of `count` pairs; line i does not depend on `count`.

        Raises:
            UsageError: a folder that cannot be used at all.
        """

    def fingerprint(self) -> str:
        """A hash of its inputs' names, sizes and times of change; quick."""

    def make(self, item: PairItem) -> MadePair:
        """One pair.

        Raises:
            ImageError: this pair cannot be made.
        """


@dataclass(frozen=True, slots=True)
class Drawing:
    """The options that every origin draws by."""

    size: int
    severity: tuple[float, float]
    kvp: tuple[float, float]
    devices: float
    without: frozenset[str]

    @classmethod
    def of(cls, options: SimulateOptions) -> "Drawing":
        return cls(
            options.size,
            options.severity,
            options.kvp,
            options.implants,
            frozenset(options.without),
        )
