"""What a store holds: the facts behind `dfsynth info`."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from dfsynth.errors import StoreError
from dfsynth.manifest import read_manifest
from dfsynth.store import StoreLayout
from dfsynth.store.record import read_record


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """Counts, progress, provenance and size of a store."""

    store: str
    command: str
    """What made it: dfsynth build, or dfsynth simulate."""
    rows: int
    shards: int
    shards_done: int
    status: Mapping[str, int]
    """ok, failed, and pending: not in a committed shard yet."""
    errors: Mapping[str, int]
    flags: Mapping[str, int]
    origins: Mapping[str, int]
    """Of pairs; empty for images."""
    splits: Mapping[str, int]
    excluded: Mapping[str, int]
    provenance: Mapping[str, object]
    size_bytes: int


def describe_store(root: Path) -> StoreInfo:
    """Reads the manifest and the build record, no image.

    Raises:
        UsageError: there is no store.
        StoreError: its build record or its manifest is damaged.
    """
    layout = StoreLayout(root)
    record = read_record(layout.build)
    table = read_manifest(layout.manifest, record.manifest_schema)
    status = _counts(table["status"].to_pylist())
    flags = chain.from_iterable(flags or () for flags in table["flags"].to_pylist())
    return StoreInfo(
        store=str(root),
        command=record.command,
        rows=record.rows,
        shards=record.shards,
        shards_done=len(layout.committed_shards()),
        status={
            "ok": status.get("ok", 0),
            "failed": status.get("failed", 0),
            "pending": record.rows - table.num_rows,
        },
        errors=_counts(table["error_code"].to_pylist()),
        flags=_counts(flags),
        origins=_counts(table["origin"].to_pylist() if "origin" in table.column_names else ()),
        splits=_counts(table["split"].to_pylist()),
        excluded=record.excluded,
        provenance=record.provenance(),
        size_bytes=_size_of(root),
    )


def count_failed(root: Path, partition: tuple[int, int]) -> int:
    """Failed rows in the committed shards of one process's partition, whichever run wrote them.

    Raises:
        StoreError: the manifest is damaged.
    """
    table = read_manifest(StoreLayout(root).manifest).select(["shard", "status"])
    index, count = partition
    return sum(
        line["status"] == "failed" and line["shard"] % count == index for line in table.to_pylist()
    )


def _counts(values: Iterable[str | None]) -> dict[str, int]:
    return dict(Counter(value for value in values if value is not None))


def _size_of(root: Path) -> int:
    """Of all files; those that a build at work renames or removes meanwhile are passed over."""

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    size_bytes = 0
    try:
        for folder, _, names in os.walk(root, onerror=refuse):
            for name in names:
                with suppress(FileNotFoundError):
                    size_bytes += os.lstat(Path(folder, name)).st_size
    except OSError as error:
        raise StoreError(
            f"cannot measure {root}: {error.strerror}; expected files that this user may see; "
            "check their permissions and the disk"
        ) from error
    return size_bytes
