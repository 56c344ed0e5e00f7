"""Which files below a root are a corpus's images, loose or inside its zips."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.errors import UsageError
from dfsynth.source import exclusion
from dfsynth.source.corpus import ImageLayout
from dfsynth.source.schema import CHUNK_ROWS, ChunkedColumn, Column
from dfsynth.source.walk import FolderWalk
from dfsynth.source.zip_archive import ZipSource

MEMBER: Final = "!/"
"""Between the path of a zip and that of a member, in the uri of an image."""
_UNPACKED: Final = "in_archive_and_unpacked"

_Row: TypeAlias = tuple[str, str, dict[str, str]]
"""The uri, the path as the patterns see it, and the parts that they name."""


@dataclass(slots=True)
class ImageFinder:
    """Walks a root once; `excluded` and `warnings` are complete when `find` has returned."""

    layout: ImageLayout
    root: Path
    excluded: Counter[str] = field(default_factory=Counter)
    warnings: tuple[str, ...] = ()

    def find(self) -> dict[str, ChunkedColumn]:
        """The images by image_id, uri, and all that templates may name.

        What lies unpacked is not taken from a zip once more.
        """
        archives = self._archives()
        walk = FolderWalk(self.root, frozenset(archives))
        chunks = [self._columns(rows) for rows in _in_chunks(self._loose(walk))]
        self.excluded.update(walk.excluded)
        self.warnings = walk.warnings()
        loose = pa.chunked_array([chunk["id"] for chunk in chunks], pa.string())
        for rows in _in_chunks(self._packed(archives)):
            chunk = self._columns(rows)
            new = pc.invert(pc.is_in(chunk["id"], value_set=loose))
            self.excluded[_UNPACKED] += len(new) - new.true_count
            chunks.append({name: values.filter(new) for name, values in chunk.items()})
        return {
            name: pa.chunked_array([chunk[name] for chunk in chunks], pa.string())
            for name in self._columns([])
        }

    def _loose(self, walk: FolderWalk) -> Iterator[_Row]:
        for paths in walk.blocks():
            for path in paths:
                if (parts := self._match(path)) is not None:
                    yield path, path, parts

    def _packed(self, archives: list[str]) -> Iterator[_Row]:
        for archive in archives:
            folder = archive.rpartition("/")[0]
            listed = ZipSource(self.root / archive).listing()
            self.excluded.update(listed.excluded)
            columns = (listed.table.column(name).to_pylist() for name in ("uri", "image_id"))
            for uri, member in zip(*columns, strict=True):
                path = f"{folder}/{member}" if folder else member
                if (parts := self._match(path)) is not None:
                    yield f"{archive}{MEMBER}{uri}", path, parts

    def _archives(self) -> list[str]:
        """The zips that the layout names, in byte order."""
        found = {
            path.relative_to(self.root).as_posix()
            for pattern in self.layout.archives
            for path in self.root.glob(pattern.text)
            if path.is_file()
        }
        return sorted(found)

    def _match(self, path: str) -> dict[str, str] | None:
        for pattern in self.layout.files:
            if (found := pattern.match(path)) is not None:
                return dict(zip(pattern.names, found, strict=True))
        suffix = PurePosixPath(path).suffix.lower()
        if any(pattern.suffix in ("", suffix) for pattern in self.layout.files):
            self.excluded[exclusion.OUTSIDE_IMAGE_FOLDERS] += 1
        else:
            self.excluded[f"unexpected_suffix:{suffix}"] += 1
        return None

    def _columns(self, rows: list[_Row]) -> dict[str, Column]:
        paths = [path for _, path, _ in rows]
        names = dict.fromkeys(name for pattern in self.layout.files for name in pattern.names)
        texts: dict[str, list[str | None]] = {
            "path": [*paths],
            "folder": [path.rpartition("/")[0] for path in paths],
            "file_name": [path.rpartition("/")[2] for path in paths],
        }
        texts["stem"] = [PurePosixPath(name or "").stem for name in texts["file_name"]]
        texts |= {name: [parts.get(name) for _, _, parts in rows] for name in names}
        found = {name: pa.array(values, pa.string()) for name, values in texts.items()}
        ids = self.layout.image_id.fill(found, len(rows))
        _require_ids(ids, paths, self.layout)
        uris = pa.array([uri for uri, _, _ in rows], pa.string())
        return {**found, "id": ids, "image_id": ids, "uri": uris}


def _require_ids(ids: Column, paths: list[str], layout: ImageLayout) -> None:
    if ids.null_count:
        path = next(p for p, name in zip(paths, ids.to_pylist(), strict=True) if name is None)
        raise UsageError(
            f"the image {path} has no id: the pattern that it fits names no part that "
            f"{layout.image_id.text} needs; mend images.files or images.id of the corpus file"
        )


def _in_chunks(
    rows: Iterator[_Row],
) -> Iterator[list[_Row]]:
    chunk: list[_Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK_ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
