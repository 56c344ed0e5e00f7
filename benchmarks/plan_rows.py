"""Time and peak memory of planning a store from a table of many rows.

    python benchmarks/plan_rows.py [--rows 10000000] [--table parquet]

A process of its own lists the table, numbers the rows and writes plan and build record, as
`dfsynth build` does before it reads an image; no generator is loaded, and of the files that are
named one is there. The table has a path, a patient, a view, a sex, an age and findings. The
peak is what the kernel says of that process; what it had before, imports included, is told too.
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
import pyarrow.csv
import pyarrow.parquet as pq
from machine import describe_machine
from without_generator import NoGenerator

from dfsynth.jobs.build_planning import BuildJob
from dfsynth.jobs.planning import plan_or_resume
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.source import open_source
from dfsynth.store import StoreLayout

_BATCH = 100_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--table", choices=("csv", "parquet"), default="parquet")
    parser.add_argument("--plan", type=Path, help="Only plan this table, in this process.")
    arguments = parser.parse_args()
    if arguments.plan:
        print(json.dumps(plan(arguments.plan)))
        return
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / f"table.{arguments.table}"
        write_table(table, arguments.rows)
        there = Path(folder) / batch(0, 1)["path"][0].as_py()
        there.parent.mkdir(parents=True)
        there.write_bytes(b"0")
        command = [sys.executable, __file__, "--plan", str(table)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        size = table.stat().st_size
    result = {
        **describe_machine(),
        "rows": arguments.rows,
        "table": arguments.table,
        "table_bytes": size,
        **json.loads(done.stdout),
    }
    print(json.dumps(result, indent=2))


def write_table(path: Path, rows: int) -> None:
    """A table of `rows` images, in batches, so that it costs no memory."""
    first = batch(0, 1)
    writer = (
        pq.ParquetWriter(path, first.schema)
        if path.suffix == ".parquet"
        else pyarrow.csv.CSVWriter(path, first.schema)
    )
    with writer:
        for start in range(0, rows, _BATCH):
            writer.write_table(batch(start, min(rows, start + _BATCH)))


def batch(start: int, stop: int) -> pa.Table:
    numbers = range(start, stop)
    return pa.table(
        {
            "path": [f"images/p{n // 4000:05d}/{n:09d}.png" for n in numbers],
            "patient_id": [f"patient{n // 3:08d}" for n in numbers],
            "view": [("PA", "AP")[n % 2] for n in numbers],
            "sex": [("F", "M")[n % 2] for n in numbers],
            "age": [str(n % 90) for n in numbers],
            "findings": [("", "effusion", "effusion|nodule")[n % 3] for n in numbers],
        }
    )


def plan(table: Path) -> dict[str, float]:
    """Plans a store beside a table."""
    before = peak_bytes()
    started, computing = time.perf_counter(), time.process_time()
    out = table.with_name("planned.zarr")
    options = BuildOptions.of(source=table, root=table.parent, out=out, shard_size=256)
    source = open_source(options.source, options.root)
    job = BuildJob(options, source, NoGenerator())
    with plan_or_resume(job, StoreLayout(out), Silent()) as planned:
        inputs = planned.record.cut.inputs
    return {
        "planned": inputs,
        "seconds": time.perf_counter() - started,
        "cpu_s": time.process_time() - computing,
        "peak_bytes": peak_bytes(),
        "peak_bytes_before": before,
    }


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
