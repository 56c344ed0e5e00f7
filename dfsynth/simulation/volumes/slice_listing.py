"""The slices of a folder's volumes as an origin lists them: read once, and taken again in turn."""

from collections.abc import Callable
from threading import Lock

from dfsynth.simulation.origins.origin import SubjectListing


class SliceListing:
    """Slices that are found when somebody first asks; asked by several threads at once."""

    def __init__(self, find: Callable[[], SubjectListing]) -> None:
        """`find` reads every volume and lists each slice that can be used once."""
        self._find = find
        self._lock = Lock()
        self._found: SubjectListing | None = None

    def subjects(self, count: int) -> SubjectListing:
        """As many; where more are asked for than there are slices, they come again.

        Raises:
            UsageError: the folder or its table cannot be used at all.
        """
        found = self._all()
        rounds = -(-count // len(found.lines)) if found.lines else 0
        return SubjectListing((list(found.lines) * rounds)[:count], found.excluded, found.warnings)

    def count(self) -> int:
        """How many slices can be used.

        Raises:
            UsageError: the folder or its table cannot be used at all.
        """
        return len(self._all().lines)

    def _all(self) -> SubjectListing:
        with self._lock:
            if self._found is None:
                self._found = self._find()
            return self._found
