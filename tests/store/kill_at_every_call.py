"""Runs a scenario in forked processes, the n-th of which kills itself at its n-th change.

    kill_at_every_call.py SCENARIO FOLDER STRIDE NAME

Each process works on the store FOLDER/<n>/NAME; a change is one of the disk. Ends with an error if
a process does, otherwise prints how many there were.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import numpy as np
from kill_switch import is_killed

from dfsynth.files.durable import write_durably
from dfsynth.files.locks import RunLock
from dfsynth.store import (
    ArraySpec,
    StoreLayout,
    clear_store,
    format_of,
    remove_shard,
)

SPECS = (
    ArraySpec("dark_field", "float16", 5, 4, 4, 3),
    ArraySpec("aleatoric", "float32", 5, 4, 4, 3),
)
RECORD = json.dumps({"schema_version": 1, "fingerprint": {}}).encode()


def row_value(row: int) -> dict[str, np.ndarray]:
    return {s.name: np.full((4, 4), row + i, np.float32) for i, s in enumerate(SPECS)}


def plan(layout: StoreLayout) -> None:
    layout.make_folders()
    with RunLock(layout.lock) as lock:
        assert lock.try_whole()
        write_durably(layout.planning, b"", layout.scratch, "group")
        write_durably(layout.plan, b"plan", layout.scratch, "group")
        format_of(layout).write_group(layout, SPECS, {})
        write_durably(layout.build, RECORD, layout.scratch, "group")


def write_shard(layout: StoreLayout, shard: int) -> None:
    remove_shard(layout, [spec.name for spec in SPECS], shard)
    known = format_of(layout)
    with known.shard_writer(layout, SPECS, shard) as writer:
        for index in range(SPECS[0].rows_of(shard)):
            writer.append(index, known.encode_row(SPECS, row_value(shard * 3 + index)))
        writer.commit()
    write_durably(layout.part(shard), b"part", layout.scratch, layout.owner(shard))


def complete(layout: StoreLayout) -> None:
    plan(layout)
    for shard in range(SPECS[0].shards):
        write_shard(layout, shard)


SCENARIOS: dict[str, tuple[Callable[[StoreLayout], None], Callable[[StoreLayout], None]]] = {
    "plan": (lambda _: None, plan),
    "redo": (complete, lambda layout: write_shard(layout, 0)),
    "remove": (complete, lambda layout: remove_shard(layout, [s.name for s in SPECS], 0)),
    "clear": (complete, clear_store),
}


def main() -> None:
    prepare, act = SCENARIOS[sys.argv[1]]
    folder, stride, name = Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    number, killed = 1, True
    while killed:
        layout = StoreLayout(folder / f"{number:05d}" / name)
        prepare(layout)
        killed = is_killed(partial(act, layout), number)
        number += stride
    print((number - 1) // stride)


if __name__ == "__main__":
    main()
