"""Whole builds of this version beside those of version 0.1: seconds, ratio and peak memory.

    git worktree add ../v0.1 7b621dc
    python benchmarks/build_pairs.py --old ../v0.1 [--images 24] [--size 256] [--repeat 3]
    python benchmarks/build_pairs.py --old ../v0.1 --untrained --images 2 --size 1024 --repeat 1
    ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 python benchmarks/build_pairs.py --old ../v0.1

Each build is a process of its own, from the command line to the last commit, 20 samples and three
maps; the three take turns, so that a noisy machine slows all. `--untrained` compares the packaged
networks with weights as they are before training.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from build_speed import repeat_samples
from machine import describe_machine

from dfsynth.checkpoint import CascadeConfig, MembersConfig, checkpoint_path, read_checkpoint
from dfsynth.inference import save_checkpoint
from dfsynth.inference.networks import FAMILIES

_HERE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to build."""

    name: str
    checkout: Path
    options: tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--old", type=Path, required=True, help="checkout of version 0.1")
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--untrained", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        repeat_samples(folder / "radiographs", arguments.images)
        names = untrained(folder) if arguments.untrained else {"old": "default", "new": "default"}
        shared = ("--size", str(arguments.size), "--precision", arguments.precision, "-q")
        contenders = [
            Contender("0.1", arguments.old, ("--checkpoint", names["old"], *shared)),
            Contender("full", _HERE, ("--checkpoint", names["new"], *shared)),
            Contender("fast", _HERE, ("--checkpoint", names["new"], "--mc", "fast", *shared)),
        ]
        seconds: dict[str, list[float]] = {each.name: [] for each in contenders}
        memory: dict[str, float] = {}
        for turn in range(arguments.repeat):
            for each in contenders:
                took, peak = build(each, folder, f"{each.name}-{turn}")
                seconds[each.name].append(took)
                memory[each.name] = max(memory.get(each.name, 0), peak)
    old = np.array(seconds["0.1"])
    result = {
        **describe_machine(),
        **{k: v for k, v in vars(arguments).items() if k != "old"},
        "seconds": {k: [round(s, 2) for s in v] for k, v in seconds.items()},
        "images_per_s": {
            k: round(arguments.images / float(np.median(v)), 2) for k, v in seconds.items()
        },
        "times_faster": {
            k: round(float(np.median(old / np.array(v))), 2) for k, v in seconds.items()
        },
        "peak_mb": {k: round(v) for k, v in memory.items()},
    }
    print(json.dumps(result, indent=2))


def build(contender: Contender, folder: Path, name: str) -> tuple[float, float]:
    """Seconds of one whole process, and its peak memory in MB."""
    command = [sys.executable, "-m", "dfsynth", "build", "--source", str(folder / "radiographs")]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--out", str(folder / f"{name}.zarr"), *contender.options],
        env={**os.environ, "PYTHONPATH": str(contender.checkout)},
        cwd=folder,
    )
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - started
    if status:
        raise SystemExit(f"{contender.name} failed")
    return took, usage.ru_maxrss / 1024


def untrained(folder: Path) -> dict[str, str]:
    """Checkpoints of both networks before training, by which of them they are."""
    files = read_checkpoint(checkpoint_path("default"))
    config = files.card.arguments
    assert isinstance(config, MembersConfig)
    card = files.card
    found = {}
    for name, network, arguments in (
        ("old", "upgan-compact", CascadeConfig()),
        ("new", card.network, config),
    ):
        with torch.inference_mode():
            made = FAMILIES[network].build(arguments)
            plain = replace(
                card,
                network=network,
                arguments=arguments,
                calibration={},
                error_calibration=(),
            )
            save_checkpoint(folder / name, made, plain)
        found[name] = str(folder / name)
    return found


if __name__ == "__main__":
    main()
