"""Time of a `dfsynth build` that finds nothing to do in a store of many committed shards.

    python benchmarks/resume_shards.py [--shards 40000]

The store is planned from a table, one image a shard; its manifest parts are written straight away,
of rows that failed, so that no image is made, with the line on failures that a commit writes. The
first resume goes by these; `copied` is that of a store whose parts look otherwise, as after a copy:
it opens every one, once. Whole processes are timed, and `info` and `filter` on the same store.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from machine import describe_machine

from dfsynth.errors import ErrorCode
from dfsynth.jobs.build_planning import BuildJob
from dfsynth.jobs.checkpoint_generator import CheckpointMaker
from dfsynth.jobs.failure_counts import note_failures
from dfsynth.jobs.image_rows import Failed, failed_row
from dfsynth.jobs.planning import plan_or_resume
from dfsynth.manifest import encode_part
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.source import open_source
from dfsynth.store import StoreLayout
from dfsynth.store.plan import Plan, source_item


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
        (first, first_cpu), (later, later_cpu) = resume(table, out), resume(table, out)
    result = {
        **describe_machine(),
        "shards": arguments.shards,
        "first_resume_s": first,
        "first_resume_cpu_s": first_cpu,
        "later_resume_s": later,
        "later_resume_cpu_s": later_cpu,
    }
    print(json.dumps(result, indent=2))


def make_store(table: Path, out: Path) -> None:
    """A store whose every shard is committed, with one failed row."""
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


def resume(table: Path, out: Path) -> tuple[float, float]:
    """Seconds of the command by the clock and of computing; it says that no image could be made."""
    command = [sys.executable, "-m", "dfsynth", "build", "--json", "--source", str(table)]
    command += ["--root", str(table.parent), "--out", str(out), "--precision", "fp32"]
    started, computing = time.perf_counter(), children_cpu_s()
    done = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    seconds = time.perf_counter() - started
    report = json.loads(done.stdout)
    assert report["shards_done"] == report["shards"]
    assert report["ok"] == 0
    return seconds, children_cpu_s() - computing


def children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
