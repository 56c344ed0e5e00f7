"""One archive, Parquet shard or NIfTI volume as a source."""

from pathlib import Path

from dfsynth.files.object_path import AnyPath
from dfsynth.records import SourceItem
from dfsynth.source import exclusion
from dfsynth.source.container_folder import (
    SHARD_SUFFIX,
    chunks_of,
    open_container,
    split_of,
    with_split,
)
from dfsynth.source.naming import source_name
from dfsynth.source.nifti_volume import is_volume
from dfsynth.source.order import require_unique
from dfsynth.source.schema import Listing, ListingBuilder


class ContainerSource:
    """The members of the archive, shard or volume `path`; their ids are their names inside it."""

    def __init__(self, path: AnyPath, column: str | None = None) -> None:
        self.path = path
        self.license = "unknown"
        self._column = column
        self._container = open_container(path, column)
        self._is_shard = path.name.lower().endswith(SHARD_SUFFIX)

    @property
    def name(self) -> str:
        name = source_name(self._kind, self.path)
        return name if self._column is None else f"{name}::{self._column}"

    @property
    def _kind(self) -> str:
        name = self.path.name.lower()
        if self._is_shard:
            return "parquet"
        if is_volume(name):
            return "nifti"
        return "zip" if name.endswith(".zip") else "tar"

    @property
    def watched(self) -> tuple[Path, ...]:
        """See `Source`; an object store tells nothing short of a listing."""
        return (self.path,) if isinstance(self.path, Path) else ()

    def listing(self) -> Listing:
        """Every member that is an image.

        Raises:
            UsageError: no images, a name that comes twice, or a kind that cannot be read.
            DfsynthError: unreadable, or damaged.
        """
        members = self._container.members()
        kind = {"parquet": "shard", "nifti": "volume"}.get(self._kind, "archive")
        where = f"the {kind} {self.path.name}"
        exclusion.require_images(len(members.columns["image_id"]), where, members.excluded)
        require_unique(members.columns["image_id"].chunks, where)
        builder = ListingBuilder()
        split = split_of(self.path.name) if self._is_shard else None
        for chunk in chunks_of(members):
            builder.add(with_split(chunk, split))
        return Listing(builder.rows(), dict(members.excluded), members.warnings)

    def read(self, item: SourceItem, max_bytes: int) -> bytes:
        """The member's bytes; safe from any thread.

        Raises:
            ImageError: this member cannot be read.
            DfsynthError: the container is gone or was replaced, or the machine fails.
        """
        return self._container.read(item, max_bytes)
