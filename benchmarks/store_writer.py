"""Measures the streaming shard writer against zarr-python, in the same run.

    python benchmarks/store_writer.py [--folder DIR] [--repeat 3] [--json]

Maps are synthetic: a smooth bump plus white noise of 0.005, float16. Every figure is the median
over `--repeat` rounds, each round running every writer once in a fresh process on 2 threads.
zarr-python gets the stacked shard ready-made (stacking is not timed, but its memory counts, as
images come one by one); its time is given without and with the flush that ours always does.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dfsynth.store import ArraySpec, EncodedRow, StoreLayout
from dfsynth.store.zarr.chunk import encode_chunk
from dfsynth.store.zarr.format import ZARR
from dfsynth.store.zarr.paths import shard_path

Figures: TypeAlias = dict[str, float]
Half: TypeAlias = NDArray[np.float16]

CASES = {1024: 128, 256: 1024}
"""Grid → images in the shard."""
DISTINCT = 8
THREADS = 2
READS = 100


@dataclass(frozen=True, slots=True)
class Job:
    """One shard to write."""

    folder: Path
    spec: ArraySpec
    maps: tuple[Half, ...]

    @property
    def rows(self) -> Iterator[tuple[int, Half]]:
        return ((row, self.maps[row % DISTINCT]) for row in range(self.spec.rows))

    @property
    def raw_bytes(self) -> int:
        return self.spec.rows * self.maps[0].nbytes


def synthetic_maps(grid: int) -> tuple[Half, ...]:
    y, x = np.mgrid[0:grid, 0:grid] / grid
    smooth = 0.3 * np.exp(-6 * ((x - 0.5) ** 2 + (y - 0.5) ** 2))
    rng = np.random.default_rng(0)
    return tuple(
        (smooth + rng.normal(0, 0.005, smooth.shape)).astype(np.float16) for _ in range(DISTINCT)
    )


def stream(job: Job, dtype: str, threads: int) -> Figures:
    """Our writer, fed rows that threads cast, checksum and encode a few ahead, as a job does."""
    layout = StoreLayout(job.folder)
    ZARR.write_group(layout, [job.spec], {})
    maps = [values.astype(dtype) for values in job.maps]
    before = peak_bytes()
    start_s = time.perf_counter()
    ahead = 2 * threads
    with (
        ThreadPoolExecutor(threads) as pool,
        ZARR.shard_writer(layout, [job.spec], 0) as writer,
    ):
        futures: deque[Future[EncodedRow]] = deque()
        for row in range(job.spec.rows):
            values = {job.spec.name: maps[row % DISTINCT]}
            futures.append(pool.submit(ZARR.encode_row, [job.spec], values))
            if row >= ahead:
                writer.append(row - ahead, futures.popleft().result())
        for row in range(job.spec.rows - len(futures), job.spec.rows):
            writer.append(row, futures.popleft().result())
        writer.commit()
    return write_figures(job, time.perf_counter() - start_s, before)


def zarr_whole(job: Job) -> Figures:
    """zarr-python, the whole shard in one assignment."""
    import zarr  # noqa: PLC0415  (its threads and memory belong to this measurement alone)

    layout = StoreLayout(job.folder)
    ZARR.write_group(layout, [job.spec], {})
    zarr.config.set({"threading.max_workers": THREADS, "async.concurrency": THREADS})
    array = zarr.open_array(job.folder / job.spec.name, mode="r+")
    before = peak_bytes()
    stacked = np.stack([values for _, values in job.rows])
    start_s = time.perf_counter()
    array[:] = stacked
    unflushed_s = time.perf_counter() - start_s
    with shard_path(layout, job.spec.name, 0).open("rb+") as file:
        os.fsync(file.fileno())
    figures = write_figures(job, time.perf_counter() - start_s, before)
    return {**figures, "maps_per_s_unflushed": job.spec.rows / unflushed_s}


def read_one(job: Job) -> Figures:
    """One image at a time in random order, from the page cache."""
    import zarr  # noqa: PLC0415

    stream(job, "float16", THREADS)
    rows = np.random.default_rng(0).integers(0, job.spec.rows, READS)
    arrays = ZARR.open_arrays(StoreLayout(job.folder))
    plain = zarr.open_array(job.folder / job.spec.name, mode="r")
    return {
        "dfsynth_ms": mean_ms(lambda row: arrays.read(job.spec.name, row), rows),
        "zarr_ms": mean_ms(lambda row: plain[row], rows),
    }


def encode_scaling(job: Job) -> Figures:
    """Chunks encoded per second by 1 and by 2 threads: their ratio shows a free interpreter."""
    figures: Figures = {}
    for threads in (1, 2):
        with ThreadPoolExecutor(threads) as pool:
            start_s = time.perf_counter()
            count = sum(1 for _ in pool.map(encode_chunk, job.maps * (job.spec.rows // DISTINCT)))
            figures[f"chunks_per_s_{threads}"] = count / (time.perf_counter() - start_s)
    return figures


WRITERS: dict[str, Callable[[Job], Figures]] = {
    "append float16": lambda job: stream(job, "float16", THREADS),
    "append float16, 1 thread": lambda job: stream(job, "float16", 1),
    "append float32": lambda job: stream(job, "float32", THREADS),
    "zarr-python whole shard": zarr_whole,
    "read one image": read_one,
    "encode alone": encode_scaling,
}


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def write_figures(job: Job, seconds: float, before: int) -> Figures:
    return {
        "maps_per_s": job.spec.rows / seconds,
        "peak_over_raw": (peak_bytes() - before) / job.raw_bytes,
    }


def mean_ms(read: Callable[[int], object], rows: NDArray[np.int64]) -> float:
    read(int(rows[0]))
    start_s = time.perf_counter()
    for row in rows:
        read(int(row))
    return (time.perf_counter() - start_s) / len(rows) * 1000


def measure(writer: str, grid: int, folder: Path) -> Figures:
    """Runs one measurement in this process."""
    images = CASES[grid]
    spec = ArraySpec("dark_field", "float16", images, grid, grid, images)
    return WRITERS[writer](Job(folder, spec, synthetic_maps(grid)))


def measure_in_process(writer: str, grid: int, folder: Path) -> Figures:
    command = [sys.executable, __file__, "--folder", str(folder), "--one", writer, str(grid)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    shutil.rmtree(folder, ignore_errors=True)
    figures: Figures = json.loads(done.stdout)
    return figures


def medians(rounds: list[Figures]) -> Figures:
    return {name: round(statistics.median(r[name] for r in rounds), 3) for name in rounds[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder otherwise")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", nargs=2, metavar=("WRITER", "GRID"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one[0], int(arguments.one[1]), arguments.folder)))
        return
    folder = Path(tempfile.mkdtemp(dir=arguments.folder)) / "bench.zarr"
    rounds: dict[str, list[Figures]] = {}
    for _ in range(arguments.repeat):
        for grid in CASES:
            for writer in WRITERS:
                figures = measure_in_process(writer, grid, folder)
                rounds.setdefault(f"{grid}² {writer}", []).append(figures)
    folder.parent.rmdir()
    results = {name: medians(found) for name, found in rounds.items()}
    if arguments.json:
        print(json.dumps(results, indent=2, ensure_ascii=False))
        return
    for name, figures in results.items():
        print(f"{name:32}", "  ".join(f"{key} {value:g}" for key, value in figures.items()))


if __name__ == "__main__":
    main()
