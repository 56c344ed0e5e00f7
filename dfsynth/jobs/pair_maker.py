"""What a simulation needs of what makes its pairs; it knows no physics and no torch."""

from collections.abc import Mapping
from typing import Protocol

from dfsynth.records import MadePair, PairItem, Subjects
from dfsynth.store import Json


class PairMaker(Protocol):
    """Its sources are known at once, and loaded when there is work for it."""

    def settings(self) -> Mapping[str, Json]:
        """What decides values beside the options: the simulator's version, sources' hashes.

        Scalars, strings and lists. A resume is refused where an entry differs, by its name.
        Asked before every run, so it must be quick.
        """

    def subjects(self, n: int | None) -> Subjects:
        """What `n` pairs are made of; called once, when a store is planned.

        Without `n` as many as there are, of inputs that have an end.

        Line i depends on the options and i alone, not on `n`.

        Raises:
            UsageError: a folder is missing.
        """

    def open(self) -> str:
        """Gets ready for `make`; called once, when there is a pair to make.

        Gives the device and what it computes, for the user's eyes.

        Raises:
            UsageError: the device or a source is not there.
        """

    def make(self, item: PairItem) -> MadePair:
        """Makes one pair, called by several threads at once after `open`.

        The pair depends on the item, the options and the settings alone.

        Raises:
            ImageError: this pair cannot be made; it becomes a failed row.
            DfsynthError: none can, as where a device is out of memory; the run ends.
        """
