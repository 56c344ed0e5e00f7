"""Peak memory of a build after few and after many images, and the time of a resume with no work.

    python benchmarks/build_memory.py [--few 100] [--many 1000] [--mc-samples 20]

Each build runs in a process of its own; the peak is what the kernel says of that process.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from build_speed import repeat_samples
from machine import describe_machine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--many", type=int, default=1000)
    parser.add_argument("--mc-samples", type=int, default=20)
    arguments = parser.parse_args()
    peaks = {}
    with tempfile.TemporaryDirectory() as folder:
        # Growing order: the kernel keeps the largest peak of all children so far.
        for images in sorted((arguments.few, arguments.many)):
            out = Path(folder) / f"{images}.zarr"
            command = build_command(folder, images, out, arguments.mc_samples)
            subprocess.run(command, check=True)
            peaks[images] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        started = time.perf_counter()
        subprocess.run(command, check=True)
        resume_s = time.perf_counter() - started
    result = {
        **describe_machine(),
        "mc_samples": arguments.mc_samples,
        "peak_bytes": peaks,
        "resume_of_finished_build_s": resume_s,
    }
    print(json.dumps(result, indent=2))


def build_command(folder: str, images: int, out: Path, mc_samples: int) -> list[str]:
    source = Path(folder) / f"radiographs{images}"
    if not source.exists():
        repeat_samples(source, images)
    command = [sys.executable, "-m", "dfsynth", "build", "-q", "--source", str(source)]
    return [*command, "--out", str(out), "--mc-samples", str(mc_samples)]


if __name__ == "__main__":
    main()
