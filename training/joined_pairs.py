"""Several sources of pairs as one."""

from collections.abc import Sequence

from dfsynth.datasets import PairImages, PairInfo, PairSource


class JoinedPairs:
    """The pairs of several sources, one source after the other; implements `PairSource`."""

    def __init__(self, sources: Sequence[PairSource]) -> None:
        """Joins sources of one grid."""
        self._sources = tuple(sources)
        self.rows: tuple[PairInfo, ...] = tuple(row for s in self._sources for row in s.rows)
        self.description = " and ".join(s.description for s in self._sources)
        self.warnings = tuple(text for s in self._sources for text in s.warnings)
        self.knows_lungs = all(s.knows_lungs for s in self._sources)

    def fingerprint(self) -> str:
        """See `PairSource`."""
        return "+".join(s.fingerprint() for s in self._sources)

    def read(self, index: int) -> PairImages:
        """See `PairSource`."""
        for source in self._sources:
            if index < len(source.rows):
                return source.read(index)
            index -= len(source.rows)
        raise IndexError(index)
