"""Images/s of the generator where other programs want the same cores, by how its threads wait.

    python benchmarks/shared_cores.py [--others 0,1] [--images 96] [--size 256]

GNU OpenMP, on which PyTorch's CPU builds compute, lets threads spin while they wait for each other;
`OMP_WAIT_POLICY=PASSIVE` lets them sleep. `--others` is how many programs compute beside it all the
time. Each figure is of a process of its own, with `--mc fast` and the packaged radiographs.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from end_to_end import load, pace_alone
from machine import describe_machine

from dfsynth.options import BuildOptions
from dfsynth.resources import data_folder

_BUSY = "while True: pass"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--others", default="0,1")
    parser.add_argument("--images", type=int, default=96)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(rate(arguments.images, arguments.size))
        return
    found = {
        f"{others} others, {policy}": rate_beside(int(others), policy, arguments)
        for others in arguments.others.split(",")
        for policy in ("ACTIVE by default", "PASSIVE")
    }
    print(json.dumps({**describe_machine(), "images_per_s": found}, indent=2))


def rate_beside(others: int, policy: str, arguments: argparse.Namespace) -> float:
    """Images/s of a process beside so many that are busy."""
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    if policy == "PASSIVE":
        environment["OMP_WAIT_POLICY"] = policy
    busy = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(others)]
    command = [sys.executable, __file__, "--measure"]
    command += ["--images", str(arguments.images), "--size", str(arguments.size)]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    return float(done.stdout)


def rate(images: int, size: int) -> float:
    """Images/s of the generator alone, in this process."""
    options = BuildOptions.of(source="samples", out=Path("unused.zarr"), size=size, mc="fast")
    files = sorted(data_folder("samples").glob("*.png"))
    generator, samples = load(options, (size, size), files)
    return pace_alone(generator, [samples[n % len(samples)] for n in range(images)]).images_per_s


if __name__ == "__main__":
    main()
