"""Whether the files that a source names are there, asked of a few before anything is planned."""

from pathlib import Path
from typing import Final

import numpy as np

from dfsynth.errors import ErrorCode, ImageError, UsageError
from dfsynth.files.object_path import ObjectPath
from dfsynth.files.row_spool import RowSpool
from dfsynth.records import SourceItem
from dfsynth.source.path_list import PathListSource
from dfsynth.source.protocol import Source
from dfsynth.source.table import TableSource

_TRIED: Final = 64
_PARTS_TRIED: Final = 8


def require_present(source: Source, listed: RowSpool) -> None:
    """Requires that at least one of some files that a table or list names is there; reads none.

    With a wrong root every row would fail as missing, and stay so: a failed row is a committed
    row. Other sources have seen what they list.

    Args:
        source: what was listed.
        listed: `LISTING_SCHEMA`, at least one row.

    Raises:
        UsageError: none of them is there; it names the root that would fit, where there is one.
        DfsynthError: the source is gone.
    """
    if not isinstance(source, TableSource | PathListSource):
        return
    rows = np.unique(np.linspace(0, listed.num_rows - 1, _TRIED).round().astype(np.int64))
    tried = listed.take(rows, ["image_id", "uri", "offset", "size_bytes"])
    for row, line in zip(rows.tolist(), tried.to_pylist(), strict=True):
        if not _is_missing(source, SourceItem(row=row, shard=0, **line)):
            return
    uris = [str(uri) for uri in tried.column("uri").to_pylist()]
    count = f"{len(uris)} files tried of {listed.num_rows}" if len(uris) > 1 else "the file"
    found = None if isinstance(source.root, ObjectPath) else _advice(source.root, uris)
    advice = found or "give the folder that the paths start from as --root"
    raise UsageError(
        f"none of {count} of {source.name} is there, the first of them {uris[0]} below "
        f"{source.root}; {advice}"
    )


def _is_missing(source: Source, item: SourceItem) -> bool:
    try:
        source.read(item, max_bytes=0)  # asks for its size, and reads nothing
    except ImageError as error:
        return error.code is ErrorCode.MISSING
    return False


def _advice(root: Path, uris: list[str]) -> str | None:
    """What would make the paths fit, as half a sentence; None where nothing is found."""
    folder = root.absolute()
    near = [folder, *folder.parents[:_PARTS_TRIED]]
    for uri in uris:
        parts = uri.split("/")
        for other in near[1:]:
            if (other / uri).is_file():
                return f"the paths start from {other}: give --root {other}"
        for child in sorted(p for p in folder.iterdir() if p.is_dir())[:_TRIED]:
            if (child / uri).is_file():
                return f"the paths start from {child}: give --root {child}"
        for cut in range(1, min(len(parts), _PARTS_TRIED)):
            if (folder / "/".join(parts[cut:])).is_file():
                extra = "/".join(parts[:cut])
                return (
                    f"the paths start with {extra}/, which is not there, and fit without it: take "
                    "it out of the table"
                )
    return None
