"""What a format has to offer so that images can be exported as it: files in a folder."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from dfsynth.exports.export import Export, ExportImage
from dfsynth.exports.folder import ExportFolder
from dfsynth.exports.naming import file_stem

_SOURCE_PIXELS: Final = 2**19
"""For which sources count in the size of a file: they differ, and most are several times larger."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Images that are written together, or not at all."""

    first_row: int
    """Of the range of rows that they come from, whether or not it is exported."""
    lines: Sequence[Mapping[str, Any]]
    """Rows of the manifest in order: `row` and `image_id`, or all columns."""

    @property
    def mark(self) -> str:
        """BLAKE2b-64, in hexadecimal, of which rows these are."""
        rows = ",".join(str(line["row"]) for line in self.lines)
        return hashlib.blake2b(rows.encode(), digest_size=8).hexdigest()


class FolderFormat(Protocol):
    """A format of files in a folder; stateless, for any number of threads."""

    @property
    def name(self) -> str:
        """The word that `--to` takes."""

    @property
    def dtypes(self) -> tuple[str, ...]:
        """What the values in its files can be, the usual one first."""

    @property
    def lists_names(self) -> bool:
        """Whether a table is to say which files are of which image."""

    def require_libraries(self) -> None:
        """Requires what it is written with.

        Raises:
            UsageError: a library of an extra is not installed.
        """

    def folders(self, export: Export) -> tuple[str, ...]:
        """The folders, below that of the export, that hold its files."""

    def portion_rows(self, export: Export) -> int:
        """Rows of the store, whether exported or not, in the range of a portion; at least one."""

    def threads_a_core(self, export: Export) -> int:
        """How many portions are best written at once, for each core."""

    def is_written(self, export: Export, portion: Portion, folder: ExportFolder) -> bool:
        """Whether the folder holds the files of these images.

        Raises:
            StoreError: a file cannot be read.
        """

    def write(
        self,
        export: Export,
        portion: Portion,
        images: Iterator[ExportImage],
        folder: ExportFolder,
    ) -> None:
        """Writes the images of a portion, in order.

        Raises:
            StoreError: the disk refuses.
        """


@dataclass(frozen=True, slots=True)
class FilesOfImages:
    """A format in which each image has files of its own. Implements `FolderFormat`."""

    name: str
    dtypes: tuple[str, ...]
    folders: Callable[[Export], tuple[str, ...]]
    """See `FolderFormat`."""
    paths: Callable[[Export, str], tuple[str, ...]]
    """Of the files of an image, by the stem of its name, in the order in which they are encoded."""
    encode: Callable[[Export, ExportImage], Iterator[bytes]]
    """The content of these files."""
    require_libraries: Callable[[], None] = lambda: None
    """See `FolderFormat`."""
    lists_names: bool = True

    def portion_rows(self, _export: Export) -> int:
        """See `FolderFormat`."""
        return 1

    def threads_a_core(self, export: Export) -> int:
        """See `FolderFormat`: small files wait for the disk longer than they take to make.

        A disk flushes eight at once in the time of one.
        """
        return 4 if export.space == "grid" else 1

    def is_written(self, export: Export, portion: Portion, folder: ExportFolder) -> bool:
        """See `FolderFormat`."""
        (line,) = portion.lines
        paths = self.paths(export, file_stem(line["row"], line["image_id"]))
        # The last one first: it was written last.
        return all(map(folder.has, reversed(paths)))

    def write(
        self,
        export: Export,
        _portion: Portion,
        images: Iterator[ExportImage],
        folder: ExportFolder,
    ) -> None:
        """See `FolderFormat`."""
        for image in images:
            paths = self.paths(export, image.stem)
            for path, content in zip(paths, self.encode(export, image), strict=True):
                folder.write(path, content)
            # Those of the export are flushed once, at its end.
            folder.sync({str(Path(path).parent) for path in paths} - {*self.folders(export)})


@dataclass(frozen=True, slots=True)
class FilesOfMany:
    """A format in which a file holds many images. Implements `FolderFormat`."""

    name: str
    suffix: str
    write_images: Callable[[Export, Portion, Iterator[ExportImage], BinaryIO], None]
    """Writes one file; `Portion.mark` is part of it."""
    read_mark: Callable[[Path], str | None]
    """What the file says is its `Portion.mark`; None where it says nothing."""
    most_bytes: int
    """Of the values in one file, about."""
    dtypes: tuple[str, ...] = ("float32",)
    lists_names: bool = False

    def require_libraries(self) -> None:
        """See `FolderFormat`: none beyond those of dfsynth."""

    def folders(self, _export: Export) -> tuple[str, ...]:
        """See `FolderFormat`."""
        return ("data",)

    def portion_rows(self, export: Export) -> int:
        """See `FolderFormat`."""
        spec = export.record.arrays[0]
        pixels = _SOURCE_PIXELS if export.space == "source" else spec.height * spec.width
        return max(self.most_bytes // (4 * pixels * len(export.maps)), 1)

    def threads_a_core(self, _export: Export) -> int:
        """See `FolderFormat`."""
        return 1

    def is_written(self, _export: Export, portion: Portion, folder: ExportFolder) -> bool:
        """See `FolderFormat`."""
        path = folder.root / self._path(portion)
        return path.exists() and self.read_mark(path) == portion.mark

    def write(
        self,
        export: Export,
        portion: Portion,
        images: Iterator[ExportImage],
        folder: ExportFolder,
    ) -> None:
        """See `FolderFormat`."""
        with folder.writing(self._path(portion)) as stream:
            self.write_images(export, portion, images, stream)

    def _path(self, portion: Portion) -> str:
        return f"data/images-{portion.first_row:07d}{self.suffix}"
