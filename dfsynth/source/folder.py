"""A folder, here or in an object store, of images, or of archives or Parquet shards of images."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from dfsynth.files.row_spool import RowSpool
from dfsynth.source import exclusion
from dfsynth.source.any_walk import AnyWalk, walk_below
from dfsynth.source.below_root import SourceBelowRoot
from dfsynth.source.container_folder import choose_containers
from dfsynth.source.order import require_unique
from dfsynth.source.schema import Listing, ListingBuilder


class FolderSource(SourceBelowRoot):
    """Images by their paths below `root`, in the order of the bytes of those paths.

    Where there are files that may be images, archives and tables beside them are left out: often
    they hold the same images. Where there is none, the images inside the archives are read, and
    where there is no archive either, those of the Parquet shards.
    """

    @property
    def name(self) -> str:
        return self._name("folder")

    def listing(self) -> Listing:
        """Every image below the root; image_id and uri of a file are its path with `/`.

        Raises:
            UsageError: the root cannot be listed, holds no images, or an id comes twice.
            DfsynthError: a damaged archive or shard, where they are read.
        """
        walk = walk_below(self.root)
        rows = _files(walk, self._add_paths)
        if rows.num_rows:
            return Listing(rows, dict(walk.excluded), walk.warnings())
        return self._listing_inside(walk)

    def _listing_inside(self, walk: AnyWalk) -> Listing:
        excluded = Counter(walk.excluded)
        paths = choose_containers(self.root, walk.archives, walk.parquet_files, excluded)
        builder = ListingBuilder()
        warnings = self._containers.add_to(builder, paths, excluded)
        rows = builder.rows()
        exclusion.require_images(rows.num_rows, f"the folder {self.root}", excluded)
        require_unique(rows.column("image_id"), f"the folder {self.root}")
        return Listing(rows, dict(excluded), (*walk.warnings(paths), *warnings))


def list_files(root: Path) -> Listing:
    """The files below `root` that may be images, and nothing inside archives or shards.

    Raises:
        UsageError: the root cannot be listed, or holds no such file.
    """
    walk = walk_below(root)
    rows = _files(walk, ListingBuilder.add_paths)
    exclusion.require_images(rows.num_rows, f"the folder {root}", walk.excluded)
    return Listing(rows, dict(walk.excluded), walk.warnings())


def _files(walk: AnyWalk, add_paths: Callable[[ListingBuilder, Sequence[str]], None]) -> RowSpool:
    builder = ListingBuilder()
    for paths in walk.blocks():
        add_paths(builder, paths)
    return builder.rows()
