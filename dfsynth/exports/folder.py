"""The folder of an export: whose it is, who works in it, and files that are there whole or not.

OUT/export.json    what it is; written first, and again at the end
OUT/manifest.csv   the rows of the images, with the names of their files, where these need it
OUT/FOLDER/…       the files
OUT/.export/       lock, and files in the making
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from dfsynth.errors import ConflictError, UsageError
from dfsynth.exports.record import RECORD_NAME, ExportRecord, read_folders, require_same
from dfsynth.files.durable import (
    DurableFile,
    make_folder,
    remove_durably,
    remove_entry,
    replacing,
    sweep,
    sync_folder,
    write_durably,
)
from dfsynth.files.faults import store_faults
from dfsynth.files.locks import RunLock
from dfsynth.store.surroundings import require_outside_stores

TABLE_NAME: Final = "manifest.csv"
_HIDDEN: Final = ".export"
_OWNER: Final = "export"


@dataclass(frozen=True, slots=True)
class ExportFolder:
    """The folder of an export that this process works in."""

    root: Path

    @property
    def record(self) -> Path:
        """Where `export.json` lies."""
        return self.root / RECORD_NAME

    @property
    def lock(self) -> Path:
        """The file by which processes keep out of each other's way."""
        return self.root / _HIDDEN / "lock"

    @property
    def scratch(self) -> Path:
        """The folder where files are written before they get their name."""
        return self.root / _HIDDEN / "tmp"

    def has(self, name: str) -> bool:
        """Whether a file, by its path below the export, is there."""
        return (self.root / name).exists()

    def write(self, name: str, content: bytes) -> None:
        """Makes a file, by its path below the export, whole or not at all.

        That it has its name survives a power cut only after `sync` of its folder; its bytes do at
        once.

        Raises:
            StoreError: the disk refuses.
        """
        path = self.root / name
        with store_faults(f"make the folder {path.parent}"):
            path.parent.mkdir(exist_ok=True)
        file = DurableFile(path, self.scratch, _OWNER)
        try:
            file.write(content)
            file.seal()
            file.publish()
        finally:
            file.discard()

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """A binary stream that becomes a file, by its path, when the body ends without an error.

        Raises:
            StoreError: the disk refuses.
        """
        with replacing(self.root / name, self.scratch, _OWNER) as stream:
            yield stream

    def write_record(self, record: ExportRecord, images: int, complete: bool) -> None:
        """Writes `export.json`; see `ExportRecord.to_json`.

        Raises:
            StoreError: the disk refuses.
        """
        write_durably(self.record, record.to_json(images, complete), self.scratch, _OWNER)

    def sync(self, folders: Iterable[str]) -> None:
        """Flushes the entries of folders that lie in the export.

        Raises:
            StoreError: the disk refuses.
        """
        for name in folders:
            sync_folder(self.root / name)


@contextmanager
def opened_folder(
    root: Path, record: ExportRecord, images: int, overwrite: bool
) -> Iterator[tuple[ExportFolder, bool]]:
    """The folder of an export, for this process alone; and whether it was begun before.

    Its record, of so many `images`, and its folders are there then.

    Raises:
        UsageError: it lies in a store, or a file has its name.
        ConflictError: it holds something else, or another process exports into it.
        StoreError: its record is damaged, or the disk refuses.
    """
    folder = ExportFolder(root)
    require_outside_stores(root / RECORD_NAME, "an export")
    _require_ours(folder)
    if folder.record.exists() and not overwrite:
        require_same(folder.record, record)
    make_folder(folder.scratch)
    with RunLock(folder.lock) as lock:
        if lock.supported() and not lock.try_whole():
            raise ConflictError(
                f"another process exports into {root}; wait for it, or name another --out"
            )
        sweep(folder.scratch)
        if overwrite and folder.record.exists():
            _clear(folder)
        resumed = folder.record.exists()
        # Before all else: it makes the rest an export of ours.
        folder.write_record(record, images, complete=False)
        for name in record.folders:
            make_folder(root / name)
        yield folder, resumed


def _require_ours(folder: ExportFolder) -> None:
    """Requires a new name, an empty folder, or one that an export began in."""
    root = folder.root
    if not root.exists():
        return
    if not root.is_dir():
        raise UsageError(f"--out {root} is a file; expected the name of a folder for the export")
    with store_faults(f"list {root}"):
        entries = sorted(entry.name for entry in root.iterdir() if entry.name != _HIDDEN)
    if entries and not folder.record.exists():
        raise ConflictError(
            f"{root} is no export of dfsynth: it holds {entries[0]!r} and no {RECORD_NAME}; name a "
            "new folder, or remove that one yourself"
        )


def _clear(folder: ExportFolder) -> None:
    """Removes what an export wrote, its record last, so that a kill leaves an export."""
    for name in (*read_folders(folder.record), TABLE_NAME):
        with store_faults(f"remove {folder.root / name}"):
            remove_entry(folder.root / name)
    remove_durably([folder.record])
