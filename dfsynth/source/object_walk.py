"""Every object below a common beginning of keys, in byte order, by one listing."""

from collections.abc import Iterator
from typing import Final

from dfsynth.files.object_path import ObjectPath
from dfsynth.files.objects import list_objects
from dfsynth.source import exclusion
from dfsynth.source.container_folder import INSIDE
from dfsynth.source.left_out import FILE_PARTS, STORE_FOLDERS, LeftOut
from dfsynth.source.order import NameSorter

_GROUP: Final = "zarr.json"


class ObjectWalk(LeftOut):
    """Lists the keys below a root once; what it gathers is complete when `blocks` is exhausted.

    What is left out of a folder on a disk is left out here. Hidden folders count by their objects,
    for there are no folders.
    """

    def __init__(self, root: ObjectPath, beginning: str = "") -> None:
        """Walks what lies below `root`, of keys that begin with `beginning` there."""
        super().__init__()
        self._root = root
        self._beginning = beginning
        self._stores: set[str] = set()

    def blocks(self) -> Iterator[list[str]]:
        """Keys below the root in byte order, in lists of any length.

        Raises:
            UsageError: there is no such bucket.
            DfsynthError: the store refuses.
        """
        keys = NameSorter()
        for key in self._inputs():
            keys.append(key)
        # Those of stores are known when the last key has come.
        self.archives = [key for key in self.archives if self._is_plain(key)]
        self.parquet_files = [key for key in self.parquet_files if self._is_plain(key)]
        files = {s.removesuffix(".parts") for s in self._stores if s.endswith(FILE_PARTS)}
        if self._stores:
            self.excluded[exclusion.STORE] += len(self._stores)
        for block in keys.blocks():
            kept = [key for key in block if not self._lies_in_store(key)]
            names = [key for key in kept if key not in files]
            if len(names) < len(kept):
                self.excluded[exclusion.STORE] += len(kept) - len(names)
            yield names

    def _inputs(self) -> Iterator[str]:
        """Keys that may be images."""
        for found in list_objects(self._root, self._beginning):
            folder, _, name = found.key.rpartition("/")
            if name == "":  # Consoles make such objects to show an empty folder.
                continue
            if store := _named_as_store(folder):
                self._stores.add(store)
            elif name == _GROUP and folder:
                self._stores.add(folder)
            elif reason := exclusion.reason_to_exclude_member(found.key):
                self.leave_out(reason, found.key)
            else:
                yield found.key

    def _is_plain(self, key: str) -> bool:
        """Whether a container can be told from its members, and is no part of a store."""
        return INSIDE not in key and not self._lies_in_store(key)

    def _lies_in_store(self, key: str) -> bool:
        """Whether one of the folders that a key lies in is a store of dfsynth."""
        parts = key.split("/")[:-1] if self._stores else []
        return any("/".join(parts[:number]) in self._stores for number in range(1, len(parts) + 1))


def _named_as_store(folder: str) -> str | None:
    parts = folder.split("/")
    for number, part in enumerate(parts, 1):
        if part.endswith(STORE_FOLDERS):
            return "/".join(parts[:number])
    return None
