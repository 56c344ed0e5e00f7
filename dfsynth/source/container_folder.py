"""Many containers of images below one folder, as one source: archives, shards, volumes."""

import re
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from threading import Lock
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from dfsynth.files.object_file import to_open_file
from dfsynth.files.object_path import AnyPath
from dfsynth.records import SourceItem
from dfsynth.source import exclusion
from dfsynth.source.container import Container, Members
from dfsynth.source.nifti_volume import NiftiVolume, is_volume
from dfsynth.source.parquet_shard import ParquetShard, holds_images
from dfsynth.source.schema import CHUNK_ROWS, ChunkedColumn, Column, ListingBuilder, joined
from dfsynth.source.tar_archive import TarArchive
from dfsynth.source.zip_archive import ZipArchive

TAR_SUFFIXES: Final = (".tar", ".tar.gz", ".tgz")
ARCHIVE_SUFFIXES: Final = (*TAR_SUFFIXES, ".zip")
SHARD_SUFFIX: Final = ".parquet"
INSIDE: Final = "//"
"""Between a container's path and a member's name in a uri; no path below a folder holds it."""
_MOST_OPEN: Final = 4
"""The plan goes through them one by one; each keeps some 64 MB of what was read last."""
_SPLITS: Final = (
    ("train", ("train", "training")),
    ("validation", ("validation", "valid", "val", "dev")),
    ("test", ("test", "testing", "eval", "evaluation")),
)


def is_archive(name: str) -> bool:
    """Whether a file of this name is an archive whose members can be read in place."""
    return name.lower().endswith(ARCHIVE_SUFFIXES)


def is_container(name: str) -> bool:
    """Whether a file of this name is an archive, or may be a Parquet shard or a volume."""
    return is_archive(name) or name.lower().endswith(SHARD_SUFFIX) or is_volume(name)


def open_container(path: AnyPath, column: str | None = None) -> Container:
    """What the name of the file says that it is; nothing is read yet."""
    name = path.name.lower()
    if name.endswith(SHARD_SUFFIX):
        return ParquetShard(path, column)
    if is_volume(name):
        return NiftiVolume(path)
    return ZipArchive(path) if name.endswith(".zip") else TarArchive(path)


def is_shard(path: AnyPath) -> bool:
    """Whether `path` is a Parquet file with a column of images; False where it cannot be read."""
    try:
        return holds_images(pq.read_schema(to_open_file(path)))
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        return False


def choose_containers(
    root: AnyPath, archives: Iterable[str], parquet_files: Iterable[str], excluded: Counter[str]
) -> list[str]:
    """What a folder without images is read from: its archives, else its shards, by their bytes.

    They are taken off `excluded`, where a listing has counted them.
    """
    reason, paths = exclusion.ARCHIVE, [path for path in archives if is_archive(path)]
    if not paths:
        reason = exclusion.PARQUET
        paths = [path for path in parquet_files if is_shard(root / path)]
    excluded[reason] -= len(paths)
    if not excluded[reason]:
        del excluded[reason]
    return sorted(paths)


class Containers:
    """Containers below `root`, listed one after the other; at most `_MOST_OPEN` stay open.

    A member's uri is "chests/0.zip//a.png", its id "chests/0.zip/a.png", as if each archive were
    a folder: the same name in two of them is two images. Ids that a shard itself gives stay as
    they are.
    """

    def __init__(self, root: AnyPath, column: str | None = None) -> None:
        self._root = root
        self._column = column
        self._lock = Lock()
        self._open: OrderedDict[str, Container] = OrderedDict()

    def add_to(
        self, builder: ListingBuilder, paths: Iterable[str], excluded: Counter[str]
    ) -> tuple[str, ...]:
        """Adds the members of the containers at `paths` below the root; gives the warnings.

        Raises:
            UsageError, DfsynthError: one of them cannot be listed.
        """
        warnings: list[str] = []
        for path in paths:
            members = self._container(path).members()
            excluded.update(members.excluded)
            warnings.extend(f"{path}: {sentence}" for sentence in members.warnings)
            add_members(builder, members, path)
        return tuple(warnings)

    def add_slices(self, builder: ListingBuilder, path: str) -> bool:
        """Adds the slices of the NIfTI volume at `path`, all of one patient; False for no volume.

        Raises:
            DfsynthError: the machine fails.
        """
        members = self._container(path).members()
        count = len(members.columns["uri"])
        # Other folders may have a volume of the same name, of somebody else.
        patient = pa.chunked_array([pa.repeat(pa.scalar(path, pa.string()), count)])
        columns = {**members.columns, "patient_id": patient}
        add_members(builder, replace(members, columns=columns), path)
        return count > 0

    def read(self, item: SourceItem, max_bytes: int) -> bytes:
        """See `Source`."""
        path, _, member = item.uri.partition(INSIDE)
        return self._container(path).read(replace(item, uri=member), max_bytes)

    def _container(self, path: str) -> Container:
        with self._lock:
            found = self._open.pop(path, None) or open_container(self._root / path, self._column)
            self._open[path] = found
            if len(self._open) > _MOST_OPEN:
                # Closed when the last thread that reads from it is done.
                self._open.popitem(last=False)
            return found


def add_members(builder: ListingBuilder, members: Members, path: str) -> None:
    """Adds the members of the container at `path`, as if it were a folder."""
    split = split_of(path)
    for chunk in chunks_of(members):
        if not members.has_own_ids:
            chunk["image_id"] = joined(f"{path}/", chunk["image_id"])
        chunk["uri"] = joined(path + INSIDE, chunk["uri"])
        builder.add(with_split(chunk, split))


def chunks_of(members: Members) -> Iterator[dict[str, Column]]:
    """The columns of a listing, `CHUNK_ROWS` rows at a time."""
    whole = {name: _one_array(column) for name, column in members.columns.items()}
    for start in range(0, len(whole["image_id"]), CHUNK_ROWS):
        yield {name: column.slice(start, CHUNK_ROWS) for name, column in whole.items()}


def split_of(path: str) -> str | None:
    """The split that a shard's path names, by the words that Hugging Face's loaders go by."""
    words = set(re.split(r"[-._ /0-9]+", path.lower()))
    found = [split for split, known in _SPLITS if words & set(known)]
    return found[0] if len(found) == 1 else None


def with_split(chunk: dict[str, Column], split: str | None) -> dict[str, Column]:
    """The columns with `split`, where there is one and they have none of their own."""
    if split is None or "split" in chunk:
        return chunk
    return {**chunk, "split": pa.repeat(pa.scalar(split, pa.string()), len(chunk["uri"]))}


def _one_array(column: ChunkedColumn) -> Column:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
