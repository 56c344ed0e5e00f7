"""Images in an object store, below a common beginning of their keys."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dfsynth.files.object_path import ObjectPath
from dfsynth.files.objects import list_objects
from dfsynth.records import SourceItem
from dfsynth.source import exclusion
from dfsynth.source.container_folder import INSIDE, Containers, choose_containers, is_container
from dfsynth.source.naming import source_name
from dfsynth.source.order import NameSorter, require_unique
from dfsynth.source.reading import read_below
from dfsynth.source.schema import Listing, ListingBuilder

_GROUP: Final = "zarr.json"
_STORE_FOLDERS: Final = (".zarr", ".h5.parts")


class ObjectFolderSource:
    """Images by their keys below `root`, in the order of the bytes of the keys.

    What is left out of a folder on a disk is left out here: hidden names, tables and texts, stores
    of dfsynth; archives and Parquet shards too, but where there is nothing else.
    """

    def __init__(self, root: ObjectPath, column: str | None = None) -> None:
        self.root = root
        self.license = "unknown"
        self._column = column
        self._containers = Containers(root, column)

    @property
    def name(self) -> str:
        name = source_name("folder", self.root)
        return name if self._column is None else f"{name}::{self._column}"

    @property
    def watched(self) -> tuple[Path, ...]:
        """See `Source`; an object store tells nothing short of a listing."""
        return ()

    def listing(self) -> Listing:
        """Every image below the root; image_id and uri are its key below the root.

        Raises:
            UsageError: no such bucket, no images, or an id that comes twice.
            DfsynthError: the store refuses, or an archive or shard that is read is damaged.
        """
        left_out = _LeftOut()
        keys = NameSorter()
        for key in self._keys(left_out):
            keys.append(key)
        builder = ListingBuilder()
        for block in keys.blocks():
            builder.add_paths([key for key in block if not left_out.lies_in_store(key)])
        excluded = left_out.counts()
        rows = builder.rows()
        if rows.num_rows:
            return Listing(rows, dict(excluded), _warnings(excluded))
        return self._listing_inside(left_out, excluded)

    def _listing_inside(self, left_out: "_LeftOut", excluded: Counter[str]) -> Listing:
        archives, shards = map(left_out.named, (exclusion.ARCHIVE, exclusion.PARQUET))
        paths = choose_containers(self.root, archives, shards, excluded)
        builder = ListingBuilder()
        warnings = self._containers.add_to(builder, paths, excluded)
        rows = builder.rows()
        where = f"the folder {self.root}"
        exclusion.require_images(rows.num_rows, where, excluded)
        require_unique(rows.column("image_id"), where)
        return Listing(rows, dict(excluded), warnings)

    def read(self, item: SourceItem, max_bytes: int) -> bytes:
        """The bytes of the object, or of the member of one; safe from any thread.

        Raises:
            ImageError: missing, unreadable, too_large, empty.
            DfsynthError: the bucket is gone, or the store refuses.
        """
        container, mark, _ = item.uri.partition(INSIDE)
        # A key may hold two slashes of its own.
        if mark and is_container(container):
            return self._containers.read(item, max_bytes)
        return read_below(self.root, item.uri, max_bytes)

    def _keys(self, left_out: "_LeftOut") -> Iterator[str]:
        """Keys that may be images; those of stores are known when the last one has come."""
        for found in list_objects(self.root):
            folder, _, name = found.key.rpartition("/")
            if name == "":  # Consoles make such objects to show an empty folder.
                continue
            if store := _named_as_store(folder):
                left_out.stores.add(store)
            elif name == _GROUP and folder:
                left_out.stores.add(folder)
            elif reason := exclusion.reason_to_exclude_member(found.key):
                left_out.add(found.key, reason)
            else:
                yield found.key


class _LeftOut:
    """Keys that are no images; those of stores are known when the last key has come."""

    def __init__(self) -> None:
        self.stores: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._containers: dict[str, list[str]] = {exclusion.ARCHIVE: [], exclusion.PARQUET: []}

    def add(self, key: str, reason: str) -> None:
        """Counts a key; one that may hold images is kept."""
        self._counts[reason] += 1
        if reason in self._containers:
            self._containers[reason].append(key)

    def lies_in_store(self, key: str) -> bool:
        """Whether one of the folders that a key lies in is a store of dfsynth."""
        parts = key.split("/")[:-1] if self.stores else []
        return any("/".join(parts[:number]) in self.stores for number in range(1, len(parts) + 1))

    def named(self, reason: str) -> list[str]:
        """The keys that were kept for a reason, but for those in stores and odd ones."""
        keys = (key for key in self._containers[reason] if INSIDE not in key)
        return [key for key in keys if not self.lies_in_store(key)]

    def counts(self) -> Counter[str]:
        """How many were left out, by reason; a store counts once."""
        stores = {exclusion.STORE: len(self.stores)} if self.stores else {}
        return self._counts + Counter(stores)


def _named_as_store(folder: str) -> str | None:
    parts = folder.split("/")
    for number, part in enumerate(parts, 1):
        if part.endswith(_STORE_FOLDERS):
            return "/".join(parts[:number])
    return None


def _warnings(excluded: Counter[str]) -> tuple[str, ...]:
    archives = excluded[exclusion.ARCHIVE]
    if not archives:
        return ()
    return (
        f"{archives} archives beside the images are not read; give one of them, or a folder of "
        "nothing else, as the source",
    )
