"""Memory of a build that goes on and on: resident bytes after every shard of many small images.

    python benchmarks/memory_growth.py [--images 100000]

A table names the same few radiographs again and again, each time as another image; the generator is
a few NumPy operations (tests/support/toy_generator.py), so that what is left is the build itself.
Growth is what the process holds at the end beyond what it held after the first 1,000 images, and
the largest value in between beyond the same.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from machine import describe_machine

from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from radiograph_files import write_folder
from toy_generator import ToyMaker

_FILES = 8
_SHARD_SIZE = 250
_FIRST = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100_000)
    arguments = parser.parse_args()
    resident: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        table = write_table(Path(folder), arguments.images)
        options = BuildOptions.of(
            source=table, root=table.parent, out=Path(folder) / "x.zarr", shard_size=_SHARD_SIZE
        )
        started = time.perf_counter()
        report = run_build(
            options,
            ToyMaker(batch_size=8),
            Silent(),
            committed=lambda _: resident.append(resident_bytes()),
        )
    if report.ok != arguments.images:
        raise SystemExit(f"{report.failed} images failed")
    first = resident[_FIRST // _SHARD_SIZE - 1]
    steps = max(len(resident) // 10, 1)
    result = {
        **describe_machine(),
        "images": arguments.images,
        "seconds": time.perf_counter() - started,
        "resident_bytes_after_1000": first,
        "resident_bytes_over_time": resident[steps - 1 :: steps],
        "growth_at_the_end_bytes": resident[-1] - first,
        "growth_at_most_bytes": max(resident[_FIRST // _SHARD_SIZE :]) - first,
    }
    print(json.dumps(result, indent=2))


def write_table(folder: Path, images: int) -> Path:
    root = write_folder(folder, _FILES)
    files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.png"))
    table = folder / "table.parquet"
    columns = {
        "image_id": [f"image{number:07d}" for number in range(images)],
        "path": [files[number % len(files)] for number in range(images)],
    }
    pq.write_table(pa.table(columns), table)
    return table


def resident_bytes() -> int:
    """What this process has in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
