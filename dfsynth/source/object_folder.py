"""Images in an object store, below a common beginning of their keys."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dfsynth.files.object_path import ObjectPath
from dfsynth.files.objects import list_objects
from dfsynth.records import SourceItem
from dfsynth.source import exclusion
from dfsynth.source.naming import source_name
from dfsynth.source.order import NameSorter
from dfsynth.source.reading import read_below
from dfsynth.source.schema import Listing, ListingBuilder

_GROUP: Final = "zarr.json"
_STORE_FOLDERS: Final = (".zarr", ".h5.parts")


class ObjectFolderSource:
    """Images by their keys below `root`, in the order of the bytes of the keys.

    What is left out of a folder on a disk is left out here: hidden names, tables and texts, stores
    of dfsynth. Archives are left out too: they are read in place only on a disk.
    """

    def __init__(self, root: ObjectPath) -> None:
        self.root = root
        self.license = "unknown"

    @property
    def name(self) -> str:
        return source_name("folder", self.root)

    @property
    def watched(self) -> tuple[Path, ...]:
        """See `Source`; an object store tells nothing short of a listing."""
        return ()

    def listing(self) -> Listing:
        """Every image below the root; image_id and uri are its key below the root.

        Raises:
            UsageError: no such bucket, or no images.
            DfsynthError: the store refuses.
        """
        excluded: Counter[str] = Counter()
        stores: set[str] = set()
        keys = NameSorter()
        for key in self._keys(excluded, stores):
            keys.append(key)
        builder = ListingBuilder()
        for block in keys.blocks():
            builder.add_paths([key for key in block if _store_of(key, stores) is None])
        if stores:
            excluded[exclusion.STORE] = len(stores)
        rows = builder.rows()
        exclusion.require_images(rows.num_rows, f"the folder {self.root}", excluded)
        return Listing(rows, dict(excluded), _warnings(excluded))

    def read(self, item: SourceItem, max_bytes: int) -> bytes:
        """The object's bytes; safe from any thread.

        Raises:
            ImageError: missing, unreadable, too_large, empty.
            DfsynthError: the bucket is gone, or the store refuses.
        """
        return read_below(self.root, item.uri, max_bytes)

    def _keys(self, excluded: Counter[str], stores: set[str]) -> Iterator[str]:
        """Keys that may be images; those of stores are known when the last one has come."""
        for found in list_objects(self.root):
            folder, _, name = found.key.rpartition("/")
            if name == "":  # Consoles make such objects to show an empty folder.
                continue
            if store := _named_as_store(folder):
                stores.add(store)
            elif name == _GROUP and folder:
                stores.add(folder)
            elif reason := exclusion.reason_to_exclude_member(found.key):
                excluded[reason] += 1
            else:
                yield found.key


def _named_as_store(folder: str) -> str | None:
    parts = folder.split("/")
    for number, part in enumerate(parts, 1):
        if part.endswith(_STORE_FOLDERS):
            return "/".join(parts[:number])
    return None


def _store_of(key: str, stores: set[str]) -> str | None:
    """The store that a key lies in."""
    parts = key.split("/")[:-1] if stores else []
    above = ("/".join(parts[:number]) for number in range(1, len(parts) + 1))
    return next((folder for folder in above if folder in stores), None)


def _warnings(excluded: Counter[str]) -> tuple[str, ...]:
    archives = excluded[exclusion.ARCHIVE]
    if not archives:
        return ()
    return (
        f"{archives} archives are not read: those in an object store cannot be; fetch them and "
        "give them, or their folder, as the source",
    )
