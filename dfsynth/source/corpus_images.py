"""Which files below a root are a corpus's images, loose or inside its zips."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.errors import UsageError
from dfsynth.files.object_path import AnyPath
from dfsynth.source import exclusion
from dfsynth.source.any_walk import AnyWalk, walk_below
from dfsynth.source.container_folder import INSIDE
from dfsynth.source.corpus import ImageLayout
from dfsynth.source.schema import CHUNK_ROWS, ChunkedColumn, Column
from dfsynth.source.template import Template
from dfsynth.source.zip_archive import ZipArchive

_UNPACKED: Final = "in_archive_and_unpacked"
_OTHER_FORM: Final = "in_another_form_as_well"
_PATTERN: Final = "\0pattern"
"""The number of the pattern that an image fits."""

_OWN: Final = (
    ("path", "{path}"),
    ("folder", "{path|folder}"),
    ("file_name", "{path|file_name}"),
    ("stem", "{path|stem}"),
)
_Parts: TypeAlias = tuple[int, tuple[str, ...]]
"""The number of the pattern that a path fits, and the parts that it names."""
_Row: TypeAlias = tuple[str, str, _Parts]
"""The uri, the path as the patterns see it, and its parts."""


@dataclass(slots=True)
class ImageFinder:
    """Walks a root once; `excluded` and `warnings` are complete when `find` has returned."""

    layout: ImageLayout
    root: AnyPath
    excluded: Counter[str] = field(default_factory=Counter)
    warnings: tuple[str, ...] = ()

    def find(self) -> dict[str, ChunkedColumn]:
        """The images by image_id, uri, and all that templates may name.

        What lies unpacked is not taken from a zip once more.
        """
        walk = walk_below(self.root)
        chunks = [self._columns(rows) for rows in _in_chunks(self._loose(walk))]
        archives = sorted(filter(self._is_archive, walk.archives))
        self.excluded.update(walk.excluded)
        self.excluded[exclusion.ARCHIVE] -= len(archives)
        self.warnings = walk.warnings(archives)
        loose = pa.chunked_array([chunk["id"] for chunk in chunks], pa.string())
        for rows in _in_chunks(self._packed(archives)):
            chunk = self._columns(rows)
            new = pc.invert(pc.is_in(chunk["id"], value_set=loose))
            self.excluded[_UNPACKED] += len(new) - new.true_count
            chunks.append({name: values.filter(new) for name, values in chunk.items()})
        found = {
            name: pa.chunked_array([chunk[name] for chunk in chunks], empty.type)
            for name, empty in self._columns([]).items()
        }
        patterns = found.pop(_PATTERN)
        if self.layout.several_files == "refuse":
            return found
        first = _is_first_form(found["id"], patterns)
        self.excluded[_OTHER_FORM] += len(first) - first.true_count
        return {name: values.filter(first) for name, values in found.items()}

    def _loose(self, walk: AnyWalk) -> Iterator[_Row]:
        for paths in walk.blocks():
            for path in paths:
                if (parts := self._match(path)) is not None:
                    yield path, path, parts

    def _packed(self, archives: list[str]) -> Iterator[_Row]:
        for archive in archives:
            folder = archive.rpartition("/")[0]
            members = ZipArchive(self.root / archive).members()
            self.excluded.update(members.excluded)
            columns = (members.columns[name].to_pylist() for name in ("uri", "image_id"))
            for uri, member in zip(*columns, strict=True):
                path = f"{folder}/{member}" if folder else member
                if (parts := self._match(path)) is not None:
                    yield f"{archive}{INSIDE}{uri}", path, parts

    def _is_archive(self, path: str) -> bool:
        """Whether the layout names this zip; links that lead nowhere are as good as not there."""
        if all(pattern.match(path) is None for pattern in self.layout.archives):
            return False
        place = self.root / path
        return not isinstance(place, Path) or place.is_file()

    def _match(self, path: str) -> _Parts | None:
        for number, pattern in enumerate(self.layout.files):
            if (found := pattern.match(path)) is not None:
                return number, found
        suffix = PurePosixPath(path).suffix.lower()
        if any(pattern.suffix in ("", suffix) for pattern in self.layout.files):
            self.excluded[exclusion.OUTSIDE_IMAGE_FOLDERS] += 1
        else:
            self.excluded[f"unexpected_suffix:{suffix}"] += 1
        return None

    def _columns(self, rows: list[_Row]) -> dict[str, Column]:
        paths = pa.array([path for _, path, _ in rows], pa.string())
        found = {name: Template.parse(text).fill({"path": paths}, len(rows)) for name, text in _OWN}
        for name in dict.fromkeys(name for p in self.layout.files for name in p.names):
            places = [p.names.index(name) if name in p.names else -1 for p in self.layout.files]
            texts = [None if (at := places[n]) < 0 else parts[at] for _, _, (n, parts) in rows]
            found[name] = pa.array(texts, pa.string())
        ids = self.layout.image_id.fill(found, len(rows))
        _require_ids(ids, paths, self.layout)
        uris = pa.array([uri for uri, _, _ in rows], pa.string())
        patterns = pa.array([number for _, _, (number, _) in rows], pa.int64())
        return {**found, "id": ids, "image_id": ids, "uri": uris, _PATTERN: patterns}


def _is_first_form(ids: ChunkedColumn, patterns: ChunkedColumn) -> pa.BooleanArray:
    """Whether no other file of the same image fits an earlier pattern."""
    images = pa.Table.from_arrays([ids, patterns], names=["id", "pattern"]).group_by("id")
    first = images.aggregate([("pattern", "min")])
    places = pc.index_in(ids.combine_chunks(), value_set=first["id"].combine_chunks())
    earliest = first["pattern_min"].combine_chunks().take(places)
    return pc.equal(patterns.combine_chunks(), earliest)


def _require_ids(ids: Column, paths: Column, layout: ImageLayout) -> None:
    if ids.null_count:
        path = paths.filter(pc.is_null(ids))[0].as_py()
        raise UsageError(
            f"the image {path} has no id: the pattern that it fits names no part that "
            f"{layout.image_id.text} needs; mend images.files or images.id of the corpus file"
        )


def _in_chunks(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    while chunk := list(itertools.islice(rows, CHUNK_ROWS)):
        yield chunk
