"""What lies below a root as a source: files, and what is inside archives, shards or volumes."""

from collections.abc import Sequence
from pathlib import Path

from dfsynth.files.object_path import AnyPath
from dfsynth.records import SourceItem
from dfsynth.source.container_folder import INSIDE, Containers, is_container
from dfsynth.source.naming import source_name
from dfsynth.source.nifti_volume import is_volume
from dfsynth.source.reading import read_below
from dfsynth.source.schema import ListingBuilder


class SourceBelowRoot:
    """What folders and patterns have in common; which of the images are its own, each lists."""

    def __init__(self, root: AnyPath, column: str | None = None, volumes: bool = False) -> None:
        """Images below `root`; with `volumes`, each slice of a NIfTI volume is one of them."""
        self.root = root
        self._volumes = volumes
        self.license = "unknown"
        self._column = column
        self._containers = Containers(root, column)

    @property
    def watched(self) -> tuple[Path, ...]:
        """See `Source`; an object store tells nothing short of a listing."""
        return (self.root,) if isinstance(self.root, Path) else ()

    def read(self, item: SourceItem, max_bytes: int) -> bytes:
        """The image's bytes; safe from any thread.

        Raises:
            ImageError: this image cannot be read.
            DfsynthError: the root itself, or an archive, is gone; or the object store refuses.
        """
        container, mark, _ = item.uri.partition(INSIDE)
        # The key of an object may hold two slashes of its own.
        if mark and is_container(container):
            return self._containers.read(item, max_bytes)
        return read_below(self.root, item.uri, max_bytes)

    def _add_paths(self, builder: ListingBuilder, paths: Sequence[str]) -> None:
        """Adds files, and in place of a volume its slices where they are asked for."""
        if not self._volumes:
            builder.add_paths(paths)
            return
        for path in paths:
            if not (is_volume(path) and self._containers.add_slices(builder, path)):
                builder.add_paths([path])

    def _name(self, kind: str, below: str = "") -> str:
        root = self.root.resolve() if isinstance(self.root, Path) else self.root
        name = source_name(kind, root) + below
        return name if self._column is None else f"{name}::{self._column}"
