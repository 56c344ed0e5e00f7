"""Measures the shard writers and the one-image readers against other libraries, in one run.

    dfsynth build --source RADIOGRAPHS --out exact.zarr --dtype float32
    python benchmarks/store_speed.py exact.zarr [--rows 512] [--threads 2] [--repeat 5] [--json]

The store gives real maps, not yet rounded, which fill one shard of float32 rounded to 10 bits, with
the same documents for all. Contenders take turns `--repeat` times; a figure is the median, and
`ratio` the median (and least and largest) of that to ours in the same turn.

write    a process each. Others get rounded images ready-made; ours rounds, checks and sums them
         as well, once with and once without that. Memory is the peak over what the process held
         before, and counts the array of all images that most others take, for images come one by
         one; putting it together is not timed. Time is with the flush to the disk that ours always
         does, `unflushed` without for others. `cpu_ms` is of one map, in all threads.
read     images in random order from the page cache as torch tensors, ours by the torch Dataset;
         in one process, the contenders in turns image by image.
workers  a DataLoader of `--threads` workers, a process for each contender, in which the arrays were
         read before workers start. Who does not end within `--patience` seconds is said to hang.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from store_contenders import CONTENDERS, NAME, Shard, flush

import dfsynth
from dfsynth.store import ArraySpec, StoreLayout, format_of
from dfsynth.store.rounding import round_mantissa

Figures: TypeAlias = dict[str, float]
Turns: TypeAlias = list[Figures] | str
"""Figures of each turn, or what became of the first that gave none."""
KEEPBITS: Final = 10
PARTS: Final = ("write", "read", "fork", "spawn")
OURS: Final = next(iter(CONTENDERS))


@dataclass(frozen=True, slots=True)
class Bench:
    """A folder with the maps, and the stores that are written of them."""

    folder: Path
    rows: int
    threads: int

    def take_maps(self, source: Path) -> None:
        """Keeps the images of a store, as computed and rounded."""
        store = dfsynth.open_store(source)
        if any(spec.keepbits != 23 for spec in store.record.arrays):
            raise SystemExit(f"{source} holds rounded values: build it with --dtype float32")
        lines = store.manifest.select(["row", "status"]).to_pylist()
        good = [line["row"] for line in lines if line["status"] == "ok"][: self.rows]
        exact = np.stack([store.read(NAME, row).astype(np.float32) for row in good])
        np.save(self._maps(rounded=False), exact)
        round_mantissa(exact, KEEPBITS)
        np.save(self._maps(rounded=True), exact)

    def maps(self, rounded: bool) -> NDArray[np.float32]:
        """Different images (image, y, x), which fill the rows again and again."""
        found: NDArray[np.float32] = np.load(self._maps(rounded))
        return found

    def shard(self, suffix: str, made: bool = True) -> Shard:
        """The shard of one format, which `write_shards` filled; or of a store made anew."""
        layout = StoreLayout(self.folder / f"{'filled' if made else 'new'}{suffix}")
        if made and format_of(layout).has_group(layout):
            return Shard(layout, format_of(layout).read_group(layout)[0][0], self.threads)
        height, width = self.maps(rounded=True).shape[1:]
        spec = ArraySpec(NAME, "float32", self.rows, height, width, self.rows, KEEPBITS)
        format_of(layout).write_group(layout, [spec], {})
        return Shard(layout, spec, self.threads)

    def write_shards(self) -> dict[str, Shard]:
        """A filled shard in each format, to be read."""
        shards = {}
        for contender in CONTENDERS.values():
            if contender.suffix not in shards:
                shard = shards[contender.suffix] = self.shard(contender.suffix)
                maps = self.maps(rounded=False)
                contender.write(shard, (maps[row % len(maps)] for row in range(self.rows)))
        return shards

    def _maps(self, rounded: bool) -> Path:
        return self.folder / f"maps-{'rounded' if rounded else 'exact'}.npy"


def measure_write(bench: Bench, name: str) -> Figures:
    """One shard written in this process."""
    contender = CONTENDERS[name]
    if contender.package and contender.open and contender.suffix == ".zarr":
        contender.open(bench.shard(contender.suffix))(0)  # imports, and starts its threads
    shard = bench.shard(contender.suffix, made=False)
    maps = bench.maps(rounded=not contender.rounds)
    # As in a process that has decoded radiographs: once it freed a large block, glibc keeps what is
    # freed, where it would else give back each image and fetch its pages again.
    np.zeros(2**24, np.uint8)
    before_kb = memory_kb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    rows = np.arange(bench.rows) % len(maps)
    images = maps[rows] if contender.takes_whole else (maps[row] for row in rows)
    started, cpu = time.perf_counter(), time.process_time()
    path = contender.write(shard, images)
    unflushed_s = time.perf_counter() - started
    flush(path)
    return {
        "maps_per_s": bench.rows / (time.perf_counter() - started),
        "unflushed": bench.rows / unflushed_s,
        "cpu_ms": (time.process_time() - cpu) / bench.rows * 1000,
        "peak_mb": (memory_kb("VmHWM") - before_kb) / 1024,
        "file_mb": path.stat().st_size / 2**20,
    }


def memory_kb(field: str) -> int:
    """Resident memory of this process, now (VmRSS) or at its peak (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{field}:")))


def measure_step(bench: Bench, name: str, part: str) -> Figures:
    """What one process of its own measures."""
    if part == "write":
        return measure_write(bench, name)
    from store_loaders import measure_workers  # noqa: PLC0415 - torch, which takes seconds

    return measure_workers(name, bench.shard(CONTENDERS[name].suffix), part)


def in_process(bench: Bench, name: str, part: str, patience_s: float) -> Figures | str:
    """The figures of one step in a process of its own, or what became of it."""
    command = [sys.executable, __file__, str(bench.folder), "--rows", str(bench.rows)]
    command += ["--threads", str(bench.threads), "--step", name, part]
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=patience_s
        )
    except subprocess.TimeoutExpired:
        return f"hangs for more than {patience_s:g} s"
    if done.returncode != 0:
        return f"fails: {(done.stderr.strip().splitlines() or ['without a word'])[-1]}"
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def alternate(bench: Bench, part: str, repeat: int, patience_s: float) -> dict[str, Turns]:
    """The figures of every contender in turns; who fails once is asked no more."""
    names = [
        name
        for name, contender in CONTENDERS.items()
        if contender.installed and (part == "write" or contender.open)
    ]
    if part == "read":
        from store_loaders import measure_reads  # noqa: PLC0415 - torch, as above

        return dict(measure_reads(bench.write_shards(), names, repeat))
    found: dict[str, Turns] = {name: [] for name in names}
    for _ in range(repeat):
        for name in names:
            turns = found[name]
            if isinstance(turns, list):
                figures = in_process(bench, name, part, patience_s)
                if isinstance(figures, str):
                    found[name] = figures
                else:
                    turns.append(figures)
    return found


def summarize(found: dict[str, Turns]) -> dict[str, Any]:
    """Medians, and the spread of each figure's ratio to ours in the same turn."""
    ours = found[OURS]
    if isinstance(ours, str):
        return {OURS: ours}
    summary: dict[str, Any] = {}
    for name, turns in found.items():
        if isinstance(turns, str):
            summary[name] = turns
            continue
        summary[name] = {
            figure: {
                "median": statistics.median(turn[figure] for turn in turns),
                "ratio": _spread([t[figure] / o[figure] for t, o in zip(turns, ours, strict=True)]),
            }
            for figure in turns[0]
        }
    return summary


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    return statistics.median(values), min(values), max(values)


def report(part: str, summary: dict[str, Any]) -> None:
    """One line for each figure of each contender."""
    print(part)
    for name, figures in summary.items():
        if isinstance(figures, str):
            print(f"  {name:24} {figures}")
            continue
        for figure, values in figures.items():
            middle, least, most = values["ratio"]
            ratio = f"ratio {middle:.2f} ({least:.2f} to {most:.2f})"
            print(f"  {name:24} {figure:13} {values['median']:8.4g}  {ratio}", flush=True)


def main() -> None:
    """Measures, or is one of the processes that do."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("store", type=Path)
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder otherwise")
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--patience", type=float, default=300.0)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--step", nargs=2, metavar=("CONTENDER", "PART"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    open_bench = partial(Bench, rows=arguments.rows, threads=arguments.threads)
    if arguments.step:
        print(json.dumps(measure_step(open_bench(arguments.store), *arguments.step)))
        return
    from machine import describe_machine  # noqa: PLC0415 - torch, as above

    results: dict[str, Any] = dict(describe_machine())
    if not arguments.json:
        print(results)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        bench = open_bench(Path(folder))
        bench.take_maps(arguments.store)
        bench.write_shards()
        for part in arguments.parts:
            found = alternate(bench, part, arguments.repeat, arguments.patience)
            results[part] = summarize(found)
            if not arguments.json:
                report(part, results[part])
    if arguments.json:
        print(json.dumps(results, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
