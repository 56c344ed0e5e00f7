"""What a store holds: the facts behind `dfsynth info`."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from dfsynth.counted_nouns import counted
from dfsynth.errors import StoreError
from dfsynth.files.object_path import AnyPath, ObjectPath, to_any_path
from dfsynth.files.objects import list_objects
from dfsynth.jobs.failure_counts import count_failures
from dfsynth.jobs.manifest_summary import summarise_manifest
from dfsynth.store import StoreLayout, missing_files
from dfsynth.store.record import read_record
from dfsynth.store.remote import mirrored


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
    scores: Mapping[str, Mapping[str, float]]
    """Score → quantile → value, over the finished images that have it; empty for pairs."""
    excluded: Mapping[str, int]
    provenance: Mapping[str, object]
    size_bytes: int
    missing: tuple[str, ...] = ()
    """Array files of committed shards that are not there: run `dfsynth verify`."""


def describe_store(store: str | AnyPath) -> StoreInfo:
    """Reads the manifest and the build record, no image.

    Raises:
        UsageError: there is no store.
        StoreError: its build record or its manifest is damaged.
    """
    root = to_any_path(store)
    if isinstance(root, ObjectPath):
        with mirrored(root) as layout:
            return _describe_remote(layout, root)
    return _describe(StoreLayout(root))


def _describe_remote(layout: StoreLayout, root: ObjectPath) -> StoreInfo:
    sizes = {found.key: found.size_bytes for found in list_objects(root)}
    info = _describe(layout)
    gone = [Path(path).relative_to(layout.root).as_posix() for path in info.missing]
    return replace(
        info,
        store=str(root),
        size_bytes=sum(sizes.values()),
        missing=tuple(str(root / key) for key in gone if key not in sizes),
    )


def _describe(layout: StoreLayout) -> StoreInfo:
    record = read_record(layout.build)
    summary = summarise_manifest(layout, record.manifest_schema)
    inputs = record.cut.inputs
    if summary.rows > inputs:
        raise StoreError(
            f"the manifest of {layout.root} has {counted(summary.rows, 'row')}, its plan "
            f"{inputs}: a part of another store lies among its own; `dfsynth verify` names what "
            "is damaged"
        )
    return StoreInfo(
        store=str(layout.root),
        command=record.command,
        rows=inputs,
        shards=record.shards,
        shards_done=len(layout.committed_shards()),
        status={
            "ok": summary.status.get("ok", 0),
            "failed": summary.status.get("failed", 0),
            "pending": inputs - summary.rows,
        },
        errors=summary.errors,
        flags=summary.flags,
        origins=summary.origins,
        splits=summary.splits,
        scores=summary.scores,
        excluded=record.excluded,
        provenance=record.provenance(),
        size_bytes=_size_of(layout),
        missing=tuple(map(str, missing_files(layout, [spec.name for spec in record.arrays]))),
    )


def count_failed(root: Path, partition: tuple[int, int]) -> int:
    """Failed rows in the committed shards of one process's partition, whichever run wrote them.

    Raises:
        StoreError: the manifest is damaged.
    """
    index, count = partition
    failures = count_failures(StoreLayout(root))
    return sum(rows for (shard, _), rows in failures.items() if shard % count == index)


def _size_of(layout: StoreLayout) -> int:
    """Of all files; those that a build at work renames or removes meanwhile are passed over."""

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    size_bytes = 0
    try:
        named = [layout.root] if layout.is_file else []
        walked = (
            Path(folder, name)
            for folder, _, names in os.walk(layout.folder, onerror=refuse)
            for name in names
        )
        for path in chain(named, walked):
            with suppress(FileNotFoundError):
                size_bytes += path.lstat().st_size
    except OSError as error:
        raise StoreError(
            f"cannot measure {layout.root}: {error.strerror}; expected files that this user may "
            "see; check their permissions and the disk"
        ) from error
    return size_bytes
