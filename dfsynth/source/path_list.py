"""Paths given one after the other on standard input."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from dfsynth.errors import UsageError
from dfsynth.files.object_path import AnyPath
from dfsynth.records import SourceItem
from dfsynth.source import exclusion
from dfsynth.source.order import require_unique
from dfsynth.source.reading import read_below
from dfsynth.source.root_paths import relative_to_root
from dfsynth.source.schema import Listing, ListingBuilder, in_chunks, text_column

_BLOCK_BYTES: Final = 1 << 16


class PathListSource:
    """The images whose paths `stream` holds, in its order, relative to `root`.

    One path a line, or with a NUL behind each (find -print0). Every path is an input, whatever
    the file is called, but for those that lead out of the root. The stream is read once; a store
    goes on by its plan, and needs no list.
    """

    def __init__(self, stream: BinaryIO, root: AnyPath) -> None:
        self.root = root
        self.license = "unknown"
        self.name = "list:stdin"
        self._stream = stream
        self._listing: Listing | None = None

    @property
    def watched(self) -> tuple[Path, ...]:
        """See `Source`; a stream says nothing until it is read."""
        return ()

    def listing(self) -> Listing:
        """One row for each path.

        Raises:
            UsageError: no paths, a path that comes twice, or a terminal in place of a list.
        """
        if self._listing is None:
            self._listing = self._listed()
        return self._listing

    def read(self, item: SourceItem, max_bytes: int) -> bytes:
        """The file's bytes; safe from any thread.

        Raises:
            ImageError: missing, unreadable, too_large, empty.
            DfsynthError: the root itself is gone.
        """
        return read_below(self.root, item.uri, max_bytes)

    def _listed(self) -> Listing:
        if self._stream.isatty():
            raise UsageError(
                "--source - reads paths from standard input: found a terminal; give a list, as in "
                "`find . -name '*.dcm' | dfsynth build --source - …`"
            )
        excluded: Counter[str] = Counter()
        builder = ListingBuilder()
        paths = _decoded(_split(self._stream), excluded)
        for chunk in in_chunks(paths):
            below = relative_to_root(text_column(chunk), self.root)
            if below.null_count:
                excluded[exclusion.OUTSIDE_ROOT] += below.null_count
                below = below.drop_null()
            builder.add({"image_id": below, "uri": below})
        rows = builder.rows()
        exclusion.require_images(rows.num_rows, "the list of paths", excluded)
        require_unique(rows.column("image_id"), "the list of paths")
        return Listing(rows, dict(excluded), exclusion.outside_root_warnings(excluded, "list"))


def _split(stream: BinaryIO) -> Iterator[bytes]:
    """The paths, parted by NUL where the beginning holds one, else by the ends of lines."""
    first = stream.read(_BLOCK_BYTES)
    mark = b"\0" if b"\0" in first else b"\n"
    rest = b""
    block = first
    while block:
        *whole, rest = (rest + block).split(mark)
        yield from whole
        block = stream.read(_BLOCK_BYTES)
    yield rest


def _decoded(paths: Iterator[bytes], excluded: Counter[str]) -> Iterator[str]:
    for path in paths:
        plain = path.removesuffix(b"\r")
        if not plain:
            continue
        try:
            yield plain.decode()
        except UnicodeDecodeError:
            excluded[exclusion.UNDECODABLE] += 1
