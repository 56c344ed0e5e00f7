"""What the pipeline needs of a simulator; it knows no physics and no torch."""

from collections.abc import Mapping
from typing import Protocol

from dfsynth.records import MadePair, PairItem, Subjects
from dfsynth.store import Json


class Simulator(Protocol):
    """Ready to run on its device; called by several threads at once."""

    @property
    def description(self) -> str:
        """Device and what it computes, for the user's eyes."""

    def make(self, item: PairItem) -> MadePair:
        """One pair; depends on the item, the options and the settings alone.

        Raises:
            ImageError: this pair cannot be made; it becomes a failed row.
            DfsynthError: none can, as where a device is out of memory; the run ends.
        """


class PairMaker(Protocol):
    """A simulator whose sources are known, but not loaded before there is work for it."""

    def settings(self) -> Mapping[str, Json]:
        """What decides values beside the options: the simulator's version, sources' hashes.

        Scalars, strings and lists. A resume is refused where an entry differs, by its name.
        Asked before every run, so it must be quick.
        """

    def subjects(self, n: int) -> Subjects:
        """What `n` pairs are made of; called once, when a store is planned.

        Line i depends on the options and i alone, not on `n`.

        Raises:
            UsageError: a folder is missing.
        """

    def open(self) -> Simulator:
        """Loads what the simulator needs.

        Raises:
            UsageError: the device or a source is not there.
        """
