"""Images/s of `build --engine ray` against plain processes on the same cores, in pairs, in one run.

    python benchmarks/ray_overhead.py [--workers 2] [--cores 1] [--pairs 5] [--images 256]
        [--size 64] [--shard-size 16]

Plain: so many processes of `dfsynth build`, which share a store by its locks. Ray: one driver and
so many workers of a cluster that it starts on this machine, at the same priority: left alone, Ray
starts its workers at nice 15, which on a busy machine measures that. Both with `--mc fast` and few
pixels, so that the network hides as little as possible of what handing out shards costs. The rate
is that between the first commit and the last one; `seconds` also holds the start of Python, PyTorch
and Ray. The order alternates from pair to pair.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from build_speed import repeat_samples
from machine import describe_machine


@dataclass(frozen=True, slots=True)
class Timing:
    """One build."""

    seconds: float
    """From its command to its end."""
    images_per_s: float
    """Between the first commit and the last one."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cores", type=int, default=1, help="of each worker")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--shard-size", type=int, default=16)
    arguments = parser.parse_args()
    pairs = []
    with tempfile.TemporaryDirectory() as folder:
        source = repeat_samples(Path(folder) / "radiographs", arguments.images)
        for number in range(arguments.pairs):
            order = ("plain", "ray") if number % 2 else ("ray", "plain")
            pair = {
                engine: time_build(
                    engine, source, Path(folder) / f"{number}-{engine}.zarr", arguments
                )
                for engine in order
            }
            print(number, pair, file=sys.stderr)
            pairs.append(pair)
    ratios = [pair["ray"].images_per_s / pair["plain"].images_per_s for pair in pairs]
    result = {
        **describe_machine(),
        **vars(arguments),
        "runs": [{engine: asdict(timing) for engine, timing in pair.items()} for pair in pairs],
        "ray_over_plain": ratios,
        "median": statistics.median(ratios),
    }
    print(json.dumps(result, indent=2))


def time_build(engine: str, source: Path, out: Path, arguments: argparse.Namespace) -> Timing:
    """One build of a store that is not there yet."""
    command = [
        *(sys.executable, "-m", "dfsynth", "build", "--source", str(source), "--out", str(out)),
        *("--mc", "fast", "--size", str(arguments.size), "--precision", "fp32", "--quiet"),
        *("--shard-size", str(arguments.shard_size), "--workers", str(arguments.cores)),
        *("--device", "cpu", "--batch-size", "8"),
    ]
    count = arguments.workers
    if engine == "ray":
        command += ["--engine", "ray", "--ray-address", "local"]
        command += ["--ray-workers", str(count), "--ray-cores", str(arguments.cores)]
        count = 1
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(arguments.cores),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",
    }
    started = time.perf_counter()
    processes = [subprocess.Popen(command, env=environment) for _ in range(count)]
    if max(process.wait() for process in processes):
        raise SystemExit(f"a build by {engine} failed")
    seconds = time.perf_counter() - started
    commits = sorted(part.stat().st_mtime for part in (out / "manifest").iterdir())
    images = (len(commits) - 1) * arguments.shard_size
    return Timing(seconds, images / (commits[-1] - commits[0]))


if __name__ == "__main__":
    main()
