"""Time of a `dfsynth build` that finds nothing to do in a store of many committed shards.

    python benchmarks/resume_shards.py [--shards 40000]

The store is planned from a table, one image a shard; its manifest parts are written straight away,
of rows that failed, so that no image is made, with the line on failures that a commit writes. The
first resume goes by these. Then the parts get other times, as in a copy of the store, so that a
resume opens every one; the next goes by what that has noted. `info` is timed twice on the same
store: the first reads every part, the second goes by the summary that the first has kept. Whole
processes are timed.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from machine import describe_machine

from dfsynth.errors import ErrorCode
from dfsynth.jobs.build_planning import BuildJob
from dfsynth.jobs.checkpoint_generator import CheckpointMaker
from dfsynth.jobs.failure_counts import note_failures
from dfsynth.jobs.image_rows import Failed, failed_row
from dfsynth.jobs.planning import plan_or_resume
from dfsynth.jobs.store_card import finish_card
from dfsynth.manifest import encode_part
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.source import open_source
from dfsynth.store import StoreLayout
from dfsynth.store.plan import Plan, source_item

Times: TypeAlias = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=int, default=40_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table, out = Path(folder) / "table.parquet", Path(folder) / "store.zarr"
        paths = [f"{number:07d}.png" for number in range(arguments.shards)]
        pq.write_table(pa.table({"path": paths}), table)
        # One that is there: of a table whose files are all missing no store is planned.
        (Path(folder) / paths[0]).write_bytes(b"0")
        make_store(table, out)
        times = {"resume": resume(table, out)}
        for part in StoreLayout(out).manifest.iterdir():
            os.utime(part, (0, 0))
        times["resume_of_a_copy"] = resume(table, out)
        times["resume_once_more"] = resume(table, out)
        for name in ("info", "info_once_more"):
            times[name] = run(["info", "--json", str(out)])[1]
    print(json.dumps({**describe_machine(), "shards": arguments.shards, **times}, indent=2))


def make_store(table: Path, out: Path) -> None:
    """A store whose every shard is committed, with one failed row, and which is described."""
    options = BuildOptions.of(
        source=table, root=table.parent, out=out, shard_size=1, precision="fp32"
    )
    source = open_source(options.source, options.root)
    job, layout = BuildJob(options, source, CheckpointMaker(options)), StoreLayout(out)
    with plan_or_resume(job, layout, Silent()) as planned:
        record = planned.record
        plan = Plan(layout.plan, record.cut, source_item)
        for shard in range(record.shards):
            failed = [Failed(item, ErrorCode.MISSING, "not there") for item in plan.items(shard)]
            rows = [failed_row(one, source.name) for one in failed]
            layout.part(shard).write_bytes(encode_part(rows, record.manifest_schema))
            note_failures(layout, record.shards, shard, rows)
        finish_card(layout, planned.lock)


def resume(table: Path, out: Path) -> Times:
    """What a build takes that finds all shards committed, and says that it made no image."""
    named = ["--source", str(table), "--root", str(table.parent), "--out", str(out)]
    report, times = run(["build", "--json", *named, "--precision", "fp32"])
    assert report["shards_done"] == report["shards"]
    assert report["ok"] == 0
    return times


def run(arguments: list[str]) -> tuple[dict[str, Any], Times]:
    """What a command of ours prints, and its seconds by the clock and of computing."""
    command = [sys.executable, "-m", "dfsynth", *arguments]
    started, computing = time.perf_counter(), children_cpu_s()
    done = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    seconds = time.perf_counter() - started
    return json.loads(done.stdout), {"seconds": seconds, "cpu_s": children_cpu_s() - computing}


def children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
