"""What lies below a folder as a source: files, and members of archives or Parquet shards."""

from pathlib import Path

from dfsynth.records import SourceItem
from dfsynth.source.container_folder import INSIDE, Containers
from dfsynth.source.naming import source_name
from dfsynth.source.reading import read_below


class SourceBelowRoot:
    """What folders and patterns have in common; which of the images are its own, each lists."""

    def __init__(self, root: Path, column: str | None = None) -> None:
        self.root = root
        self.license = "unknown"
        self._column = column
        self._containers = Containers(root, column)

    @property
    def watched(self) -> tuple[Path, ...]:
        """See `Source`."""
        return (self.root,)

    def read(self, item: SourceItem, max_bytes: int) -> bytes:
        """The image's bytes; safe from any thread.

        Raises:
            ImageError: this image cannot be read.
            DfsynthError: the root itself, or an archive, is gone.
        """
        if INSIDE in item.uri:
            return self._containers.read(item, max_bytes)
        return read_below(self.root, item.uri, max_bytes)

    def _name(self, kind: str, below: str = "") -> str:
        name = source_name(kind, self.root.resolve()) + below
        return name if self._column is None else f"{name}::{self._column}"
