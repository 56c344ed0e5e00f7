"""Pairs whose values are compared with what their task declares as they are read."""

from collections.abc import Sequence

from dfsynth.datasets.file_pairs import FilePairs
from dfsynth.datasets.file_values import PairValues, are_certain, judge_values
from dfsynth.datasets.protocol import PairImages, PairInfo, PairSource


class JudgedPairs:
    """Implements `PairSource`: what files hold is remembered as they are read, and judged after.

    So that each file is read once, where a check of all of them would read each twice. Stores of
    pairs are passed through: whoever wrote one knew its task.
    """

    def __init__(self, source: PairSource) -> None:
        """Reads nothing yet; `source` gives the pairs."""
        self._source = source
        self._found: dict[int, PairValues] = {}

    @property
    def rows(self) -> tuple[PairInfo, ...]:
        """See `PairSource`."""
        return self._source.rows

    @property
    def description(self) -> str:
        """See `PairSource`."""
        return self._source.description

    @property
    def warnings(self) -> tuple[str, ...]:
        """See `PairSource`."""
        return self._source.warnings

    @property
    def knows_lungs(self) -> bool:
        """See `PairSource`."""
        return self._source.knows_lungs

    def fingerprint(self) -> str:
        """See `PairSource`."""
        return self._source.fingerprint()

    def read(self, index: int) -> PairImages:
        """See `PairSource`."""
        if not isinstance(self._source, FilePairs):
            return self._source.read(index)
        # Of one thread or of several: a pair has equal values whenever it is read.
        pair, self._found[index] = self._source.examine(index)
        return pair

    def require_meant(self, indices: Sequence[int]) -> None:
        """Requires that the task can have meant the values of pairs, before anything is computed.

        Reads as many of them as lie a hundred ranges away, which is the first alone of pairs that
        can be used.

        Raises:
            UsageError: all of them lie so far away, or one cannot be read.
        """
        if not isinstance(self._source, FilePairs):
            return
        certain = True, True
        for index in indices:
            self.read(index)
            here = are_certain(self._found[index])
            certain = certain[0] and here[0], certain[1] and here[1]
            if not any(certain):
                return
        # All of them: judging raises.
        self.remarks()

    def remarks(self) -> tuple[str, ...]:
        """A sentence for each end of the network whose values, as far as read, may be another unit.

        Raises:
            UsageError: every pair that was read is so far away that it cannot be meant.
        """
        source = self._source
        if not isinstance(source, FilePairs):
            return ()
        found = {source.rows[index].key: self._found[index] for index in sorted(self._found)}
        return tuple(judge_values(source.task, source.window, found, may_declare=False))
