"""A CSV, TSV or Parquet table with one image a row."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow.compute as pc

from dfsynth.errors import UsageError
from dfsynth.files.local_copies import local_copy
from dfsynth.files.object_path import AnyPath
from dfsynth.records import SourceItem
from dfsynth.source import columns, exclusion, metadata
from dfsynth.source.naming import source_name
from dfsynth.source.order import require_unique
from dfsynth.source.reading import read_below
from dfsynth.source.root_paths import relative_to_root
from dfsynth.source.schema import Column, Listing, ListingBuilder
from dfsynth.source.standard_columns import standard_headers, typed

_PATH_COLUMNS: Final = (
    "path",
    "file_path",
    "filepath",
    "image_path",
    "file",
    "file_name",
    "filename",
    "image",
    "uri",
)
"""The first that is there is taken: whole paths before names of files."""


@dataclass(frozen=True, slots=True)
class TableSource:
    """The images that `table` names, in its order, by paths relative to `root`.

    Columns: a path (path, file_path, filepath, image_path, file, file_name, filename, image or
    uri), and where they are there image_id (else the path), patient_id, view, sex, age, findings,
    split, width_mm, height_mm. Case does not matter; other columns are not
    read. Every row is an input, whatever its file is called, but for rows without a path and rows
    whose path leads out of the root.
    """

    table: AnyPath
    """In an object store, it is fetched whole for each listing."""
    root: AnyPath
    license: str = "unknown"

    @property
    def name(self) -> str:
        return source_name("table", self.table)

    @property
    def watched(self) -> tuple[Path, ...]:
        """See `Source`; an object store tells nothing short of a listing."""
        return (self.table,) if isinstance(self.table, Path) else ()

    def listing(self) -> Listing:
        """One row for each row of the table.

        Raises:
            UsageError: no path column, no images, an id that comes twice, or an unreadable table.
        """
        excluded: Counter[str] = Counter()
        unread: Counter[str] = Counter()
        builder = ListingBuilder()
        with local_copy(self.table) as table:
            for chunk in metadata.read_columns(table, self._wanted(table)):
                builder.add(typed(self._located(chunk, excluded), unread))
        listed = builder.rows()
        if listed.num_rows == 0 and excluded[exclusion.OUTSIDE_ROOT]:
            raise UsageError(
                f"no images in the table {self.table.name}: every path leads out of the root "
                f"{self.root}; move the table into the folder that the paths start from, or give "
                "that, or one that holds them all, as --root where the command has it"
            )
        where = f"the table {self.table.name}"
        exclusion.require_images(listed.num_rows, where, excluded)
        require_unique(listed.column("image_id"), where)
        outside = exclusion.outside_root_warnings(excluded, "table")
        return Listing(listed, dict(excluded), (*outside, *columns.unread_sentences(unread)))

    def read(self, item: SourceItem, max_bytes: int) -> bytes:
        """The file's bytes; safe from any thread.

        Raises:
            ImageError: missing, unreadable, too_large, empty.
            DfsynthError: the root itself is gone.
        """
        return read_below(self.root, item.uri, max_bytes)

    def _wanted(self, table: Path) -> dict[str, str]:
        found = metadata.headers(table)
        by_key = {metadata.key(header): header for header in reversed(found)}
        path = next((by_key[name] for name in _PATH_COLUMNS if name in by_key), None)
        if path is None:
            raise UsageError(
                f"the table {self.table.name} has no column of paths: found "
                f"{', '.join(map(repr, found))}; expected one of {', '.join(_PATH_COLUMNS)}; "
                "rename the column that holds them"
            )
        return {"uri": path} | standard_headers(found)

    def _located(self, chunk: Mapping[str, Column], excluded: Counter[str]) -> dict[str, Column]:
        """The rows whose path lies below the root, with image_id filled in."""
        # Tables written on Windows; a file on Linux hardly ever has one in its name.
        given = pc.replace_substring(chunk["uri"], "\\", "/")
        uris = relative_to_root(given, self.root)
        excluded[exclusion.NO_PATH] += given.null_count
        excluded[exclusion.OUTSIDE_ROOT] += uris.null_count - given.null_count
        for reason in [reason for reason, count in excluded.items() if count == 0]:
            del excluded[reason]
        kept = {**chunk, "uri": uris}
        if uris.null_count:
            inside = pc.is_valid(uris)
            kept = {name: column.filter(inside) for name, column in kept.items()}
        ids = kept.get("image_id")
        kept["image_id"] = kept["uri"] if ids is None else pc.coalesce(ids, kept["uri"])
        return kept
