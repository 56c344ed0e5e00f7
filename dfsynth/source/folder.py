"""A folder of images, with everything below it."""

from dataclasses import dataclass
from pathlib import Path

from dfsynth.records import SourceItem
from dfsynth.source.exclusion import require_images
from dfsynth.source.naming import source_name
from dfsynth.source.reading import read_below
from dfsynth.source.schema import Listing, ListingBuilder
from dfsynth.source.walk import FolderWalk


@dataclass(frozen=True, slots=True)
class FolderSource:
    """Images by their paths below `root`, in the order of the bytes of those paths."""

    root: Path
    license: str = "unknown"

    @property
    def name(self) -> str:
        return source_name("folder", self.root.resolve())

    @property
    def watched(self) -> tuple[Path, ...]:
        """See `Source`."""
        return (self.root,)

    def listing(self) -> Listing:
        """Every file below the root; image_id and uri are its path with `/`.

        Raises:
            UsageError: the root cannot be listed, or holds no images.
        """
        walk = FolderWalk(self.root)
        builder = ListingBuilder()
        for paths in walk.blocks():
            builder.add_paths(paths)
        table = builder.table()
        require_images(table.num_rows, f"the folder {self.root}", walk.excluded)
        return Listing(table, dict(walk.excluded), walk.warnings())

    def read(self, item: SourceItem, max_bytes: int) -> bytes:
        """The file's bytes; safe from any thread.

        Raises:
            ImageError: missing, unreadable, too_large, empty.
            DfsynthError: the root itself is gone.
        """
        return read_below(self.root, item.uri, max_bytes)
