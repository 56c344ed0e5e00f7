"""What a walk leaves out, and what of it a source may read in another way."""

from collections import Counter
from collections.abc import Collection
from typing import Final

from dfsynth.counted_nouns import counted
from dfsynth.source import exclusion

FILE_PARTS: Final = (".h5.parts", ".hdf5.parts")
"""Of folders with the parts of a store in one file, which lies beside them without `.parts`."""
STORE_FOLDERS: Final = (".zarr", *FILE_PARTS)
"""Of folders that hold nothing but a store of dfsynth, or what is left of one."""
_SENTENCES = {
    exclusion.UNDECODABLE: (
        "name is not UTF-8 and was left out; rename it",
        "names are not UTF-8 and were left out; rename them",
    ),
    exclusion.UNREADABLE_FOLDER: (
        "folder could not be listed and was left out; check permissions",
        "folders could not be listed and were left out; check permissions",
    ),
    exclusion.LINK_LOOP: (
        "link leads back to a folder that holds it and was left out",
        "links lead back to a folder that holds them and were left out",
    ),
    exclusion.LINKED_TWICE: (
        "link leads to a folder that is read already and was left out",
        "links lead to folders that are read already and were left out",
    ),
    exclusion.NOT_A_FILE: (
        "pipe, socket or device was left out",
        "pipes, sockets or devices were left out",
    ),
}
"""Of each reason: what follows a count of one, and of several."""


class LeftOut:
    """Counts by reason; archives and Parquet files, which may hold images, are kept by path."""

    def __init__(self) -> None:
        """Nothing is left out yet."""
        self.excluded: Counter[str] = Counter()
        self.archives: list[str] = []
        self.parquet_files: list[str] = []

    def leave_out(self, reason: str, path: str) -> None:
        """Counts the file at `path` below the root, which is no input for `reason`."""
        self.excluded[reason] += 1
        if reason == exclusion.ARCHIVE:
            self.archives.append(path)
        elif reason == exclusion.PARQUET:
            self.parquet_files.append(path)

    def warnings(self, read: Collection[str] = ()) -> tuple[str, ...]:
        """What the user should know of, and what to do; `read` are archives that are read."""
        sentences = []
        if names := sorted(set(self.archives).difference(read)):
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            sentences.append(
                f"archives in the folder are not read: {', '.join(names[:3])}{more}; "
                f"{exclusion.UNPACK_ADVICE}"
            )
        sentences.extend(
            counted(count, *words)
            for reason, words in _SENTENCES.items()
            if (count := self.excluded.get(reason, 0))
        )
        return tuple(sentences)
