"""Time and peak memory of planning a store from a table of many rows.

    python benchmarks/plan_rows.py [--rows 10000000] [--kind parquet|csv|folder]

A process of its own lists the table, numbers the rows and writes plan and build record, as
`dfsynth build` does before it reads an image; no generator is loaded, and of the files that are
named one is there. The table has a path, a patient, a view, a sex, an age and findings; a folder
has as many empty files. Another process then extends the plan by a thousand rows, as `--extend`
does. The peaks are what the kernel says of each process; what it had before, imports included, is
told too.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from machine import describe_machine
from without_generator import NoGenerator

from dfsynth.jobs.build_planning import BuildJob
from dfsynth.jobs.extension import extend_store
from dfsynth.jobs.planning import plan_or_resume
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.source import open_source
from dfsynth.store import StoreLayout
from dfsynth.store.record import read_record

_BATCH = 100_000
_MORE = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--kind", choices=("csv", "folder", "parquet"), default="parquet")
    parser.add_argument("--only", nargs=2, help="Only this step, of this source, in this process.")
    arguments = parser.parse_args()
    if arguments.only:
        step, source = arguments.only
        print(json.dumps(measure({"plan": plan, "extend": extend}[step], Path(source))))
        return
    with tempfile.TemporaryDirectory() as folder:
        source = write_source(Path(folder), arguments.kind, 0, arguments.rows)
        planned = run("plan", source)
        write_source(Path(folder), arguments.kind, arguments.rows, arguments.rows + _MORE)
        extended = run("extend", source)
    result = {
        **describe_machine(),
        "rows": arguments.rows,
        "kind": arguments.kind,
        "plan": planned,
        "extend": extended,
    }
    print(json.dumps(result, indent=2))


def run(step: str, source: Path) -> dict[str, float]:
    """What a step takes in a process of its own."""
    command = [sys.executable, __file__, "--only", step, str(source)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def write_source(folder: Path, kind: str, there: int, rows: int) -> Path:
    """A table of `rows` images, or a folder that had the files of the first `there`."""
    if kind == "folder":
        for start in range(there, rows, _BATCH):
            for path in batch(start, min(rows, start + _BATCH))["path"].to_pylist():
                write_file(folder / "files" / str(path))
        return folder / "files"
    table = folder / f"table.{kind}"
    write_table(table, rows)
    write_file(folder / str(batch(0, 1)["path"][0]))
    return table


def write_file(path: Path) -> None:
    """An input that nobody reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


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


def plan(source: Path) -> None:
    """Plans a store beside a source."""
    with plan_or_resume(job_of(source), layout_of(source), Silent()):
        pass


def extend(source: Path) -> None:
    """Plans what the source has more."""
    extend_store(job_of(source), layout_of(source), Silent())


def layout_of(source: Path) -> StoreLayout:
    return StoreLayout(source.with_name("planned.zarr"))


def job_of(source: Path) -> BuildJob:
    out = layout_of(source).root
    options = BuildOptions.of(source=source, root=source.parent, out=out, shard_size=256)
    return BuildJob(options, open_source(options.source, options.root), NoGenerator())


def measure(step: Callable[[Path], None], source: Path) -> dict[str, float]:
    """What a step takes in this process."""
    before = peak_bytes()
    started, computing = time.perf_counter(), time.process_time()
    step(source)
    return {
        "planned": read_record(layout_of(source).build).cut.inputs,
        "seconds": time.perf_counter() - started,
        "cpu_s": time.process_time() - computing,
        "peak_bytes": peak_bytes(),
        "peak_bytes_before": before,
    }


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
