"""Whether the source is still there, asked wherever rows are about to fail as missing."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from dfsynth.counted_nouns import counted
from dfsynth.errors import DfsynthError, ErrorCode, ImageError
from dfsynth.jobs.image_rows import Failed
from dfsynth.jobs.model_inputs import Outcome
from dfsynth.records import SourceItem

_WITNESSES: Final = 8
_IN_A_ROW: Final = 16


class SourceWatch:
    """Keeps a source that went away in mid-run from being committed as missing inputs.

    A disk that is no longer mounted leaves an empty folder: every input to come is missing there,
    and so are those that were read before. Those are the witnesses.
    """

    def __init__(self, is_missing: Callable[[SourceItem], bool]) -> None:
        """`is_missing` asks the source whether an input is not there."""
        self._is_missing = is_missing
        self._witnesses: deque[SourceItem] = deque(maxlen=_WITNESSES)

    def read_before(self, items: Iterable[SourceItem]) -> None:
        """Tells of inputs that an earlier run has read."""
        self._witnesses.extend(items)

    def over(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        """The outcomes of one shard as they are; looks after many missing ones, and at the end.

        Raises:
            DfsynthError: the source is gone, or was gone for a while: nothing of the shard may be
                committed.
        """
        missing: list[SourceItem] = []
        in_a_row = 0
        for outcome in outcomes:
            if isinstance(outcome, Failed) and outcome.code is ErrorCode.MISSING:
                missing.append(outcome.item)
                in_a_row += 1
                if in_a_row % _IN_A_ROW == 0:
                    self._look(missing)
            else:
                in_a_row = 0
                self._witnesses.append(outcome.item)
            yield outcome
        if missing:
            self._look(missing)

    def _look(self, missing: list[SourceItem]) -> None:
        gone = [item for item in self._witnesses if self._is_missing(item)]
        back = [item for item in missing[-_WITNESSES:] if not self._is_missing(item)]
        if back:
            raise DfsynthError(
                f"the source went away for a while: {back[0].uri} was missing and is there now; "
                "run the same command again, nothing of this shard is committed"
            )
        if len(gone) == len(self._witnesses) > 1:
            raise DfsynthError(
                f"the source is gone: found the last {counted(len(missing), 'input')} missing, "
                f"and all {len(gone)} that were read before as well, the first of them "
                f"{gone[0].uri}; bring it back (is the disk mounted?) and run the same command "
                "again, nothing of this shard is committed"
            )


def asks_of(read: Callable[[SourceItem, int], bytes]) -> Callable[[SourceItem], bool]:
    """Whether the input is missing, by asking a source's `read` for its size alone."""

    def is_missing(item: SourceItem) -> bool:
        try:
            read(item, 0)
        except ImageError as error:
            return error.code is ErrorCode.MISSING
        return False

    return is_missing
