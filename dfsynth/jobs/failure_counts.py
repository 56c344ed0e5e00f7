"""How many rows of a store failed, and why, without opening every part each time.

Opening a part takes a millisecond, and forty thousand of them half a minute. So a large store keeps
the counts beside its plan, each with what its part looked like; parts that look otherwise are read
again. It is no record: where it is missing or out of date, the parts say the same.
"""

import os
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, TypeAlias

from dfsynth.errors import StoreError
from dfsynth.files.durable import write_durably
from dfsynth.files.faults import store_faults
from dfsynth.files.json_record import Json, encode_json, parse_object
from dfsynth.manifest import read_failures
from dfsynth.store import StoreLayout

_OWNER: Final = "failures"
_KEPT_FROM: Final = 1000
"""Parts of a store from which on the counts are kept."""
_Look: TypeAlias = list[int]


def count_failures(layout: StoreLayout) -> Counter[tuple[int, str]]:
    """How many rows of each committed shard failed, by (shard, error code).

    Raises:
        StoreError: the manifest cannot be read, or a part is damaged.
    """
    looks = _look_at_parts(layout)
    kept = _read_kept(layout) if len(looks) >= _KEPT_FROM else {}
    current: dict[int, dict[str, int]] = {
        shard: dict(kept[str(shard)]["failed"])
        for shard, look in looks.items()
        if _is_of(kept.get(str(shard)), look)
    }
    unread = [shard for shard in looks if shard not in current]
    for shard in unread:
        current[shard] = {}
    for (shard, code), count in read_failures(map(layout.part, sorted(unread))).items():
        current[shard][code] = count
    if unread and len(looks) >= _KEPT_FROM:
        _keep(layout, looks, current)
    return Counter(
        {
            (shard, code): count
            for shard, failed in current.items()
            for code, count in failed.items()
        }
    )


def _is_of(line: object, look: _Look) -> bool:
    """Whether a kept line is whole and of a part that still looks so."""
    return isinstance(line, dict) and line.get("part") == look and "failed" in line


def _look_at_parts(layout: StoreLayout) -> dict[int, _Look]:
    """Of each part, what changes when it is written again."""
    shards = {layout.part(shard).name: shard for shard in layout.committed_shards()}
    looks = {}
    with store_faults(f"list {layout.manifest}"), os.scandir(layout.manifest) as entries:
        for entry in entries:
            if entry.name in shards:
                status = entry.stat()
                looks[shards[entry.name]] = [status.st_ino, status.st_mtime_ns, status.st_size]
    return looks


def _read_kept(layout: StoreLayout) -> Mapping[str, Any]:
    try:
        return parse_object(layout.failures.read_bytes())
    except (OSError, ValueError):
        return {}


def _keep(
    layout: StoreLayout, looks: Mapping[int, _Look], failed: Mapping[int, Mapping[str, int]]
) -> None:
    lines: dict[str, Json] = {
        str(shard): {"part": looks[shard], "failed": dict(failed[shard])} for shard in sorted(looks)
    }
    # On a read-only disk nothing is kept, and the parts are read each time.
    with suppress(StoreError):
        write_durably(layout.failures, encode_json(lines), layout.scratch, _OWNER)
