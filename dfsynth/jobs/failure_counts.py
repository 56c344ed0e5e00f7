"""How many rows of a store failed, and why, without opening every part each time.

Opening a part takes a millisecond, and forty thousand of them half a minute. So each commit of a
large store adds a line to a file beside the plan: what failed, and what the part looked like; parts
that look otherwise by now are opened, and get a line of their own. It is no record: where lines are
missing or out of date, the parts say the same.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, TypeAlias

from dfsynth.errors import StoreError
from dfsynth.files.faults import store_faults
from dfsynth.manifest import read_failures
from dfsynth.records import ManifestRow, PairRow
from dfsynth.store import StoreLayout
from dfsynth.store.layout import shard_of_part

KEPT_FROM: Final = 1000
"""Shards of a store from which on there are lines."""
_Look: TypeAlias = list[int]


def count_failures(layout: StoreLayout) -> Counter[tuple[int, str]]:
    """How many rows of each committed shard failed, by (shard, error code).

    Raises:
        StoreError: the manifest cannot be read, or a part is damaged or under another's name.
    """
    looks = look_at_parts(layout)
    known = _read_lines(layout) if len(looks) >= KEPT_FROM else {}
    current: dict[int, dict[str, int]] = {
        shard: known[shard]["failed"]
        for shard, look in looks.items()
        if known.get(shard, {}).get("part") == look
    }
    unread = sorted(looks.keys() - current.keys())
    current.update((shard, {}) for shard in unread)
    for (shard, code), count in read_failures(map(layout.part, unread)).items():
        if shard not in current:
            raise StoreError(
                f"a part below {layout.manifest} holds rows of shard {shard}, which is not "
                "committed: it lies under another's name; `dfsynth verify` names what is damaged"
            )
        current[shard][code] = count
    if unread and len(looks) >= KEPT_FROM:
        _add_lines(layout, (_line(shard, looks[shard], current[shard]) for shard in unread))
    return Counter(
        {
            (shard, code): count
            for shard, failed in current.items()
            for code, count in failed.items()
        }
    )


def note_failures(
    layout: StoreLayout, shards: int, shard: int, rows: Sequence[ManifestRow | PairRow]
) -> None:
    """Adds the line of a shard that was committed just now, where the store is large.

    Args:
        layout: Of the store.
        shards: Of the whole store.
        shard: The one that was committed.
        rows: What its part holds.
    """
    if shards < KEPT_FROM:
        return
    codes = Counter(row.error_code for row in rows if row.error_code is not None)
    with suppress(OSError):
        look = _look(layout.part(shard).stat())
        _add_lines(layout, [_line(shard, look, codes)])


def _line(shard: int, look: _Look, failed: Mapping[str, int]) -> str:
    return json.dumps({"shard": shard, "part": look, "failed": failed})


def look_at_parts(layout: StoreLayout) -> dict[int, _Look]:
    """Of each part, by its shard, what changes when it is written again.

    Raises:
        StoreError: the manifest's folder cannot be listed.
    """
    looks = {}
    with store_faults(f"list {layout.manifest}"), os.scandir(layout.manifest) as entries:
        for entry in entries:
            if (shard := shard_of_part(entry.name)) is not None:
                looks[shard] = _look(entry.stat())
    return looks


def _look(status: os.stat_result) -> _Look:
    return [status.st_ino, status.st_mtime_ns, status.st_size]


def _read_lines(layout: StoreLayout) -> dict[int, dict[str, Any]]:
    """The last whole line of each shard."""
    try:
        lines = layout.failures.read_bytes().splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        # A process that was killed, or a disk that was full, leaves half of one.
        with suppress(ValueError, TypeError, KeyError):
            entry = json.loads(line)
            entry["failed"] = {str(code): int(n) for code, n in dict(entry["failed"]).items()}
            found[int(entry["shard"])] = entry
    return found


def _add_lines(layout: StoreLayout, lines: Iterable[str]) -> None:
    """Puts lines at the end, in one piece, so that processes do not mix theirs.

    On a disk that takes nothing there are none, and the parts are opened each time.
    """
    # Behind half a line, too, they are lines of their own.
    data = "".join(f"\n{line}" for line in lines).encode()
    with suppress(OSError), layout.failures.open("ab", buffering=0) as file:
        file.write(data)
