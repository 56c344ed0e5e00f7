"""What `torch.compile` makes of the packaged generator on this CPU: time an image, and compiling.

    python benchmarks/compiled.py [--size 256]

Decoders of all stages and the encoder are compiled, each for its own shapes; both forms run in
turns on an image that lies ready, in each mode.
"""

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import torch
from machine import describe_machine

from dfsynth.checkpoint import checkpoint_path, read_checkpoint
from dfsynth.devices import resolve_precision
from dfsynth.inference import CascadeGenerator, load_network
from dfsynth.models import CoarseCascade, Members
from dfsynth.records import MONTE_CARLO_MODES, Float32Map, MonteCarloMode

_TURNS = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256)
    arguments = parser.parse_args()
    image = np.random.default_rng(0).random((1, arguments.size, arguments.size), np.float32)
    result = {**describe_machine(), **vars(arguments)}
    for mode in MONTE_CARLO_MODES:
        result[mode] = compare(mode, image)
    print(json.dumps(result, indent=2))


def compare(mode: MonteCarloMode, image: Float32Map) -> dict[str, float]:
    """Milliseconds an image (1, y, x) of both forms, and seconds of compiling."""
    eager, compiled = (packaged_generator(mode, compiles) for compiles in (False, True))
    eager(image)
    started = time.perf_counter()
    compiled(image)
    compiling = time.perf_counter() - started
    times: dict[str, list[float]] = {"eager": [], "compiled": []}
    for _ in range(_TURNS):
        times["eager"].append(seconds(lambda: eager(image)))
        times["compiled"].append(seconds(lambda: compiled(image)))
    return {
        **{f"{name}, ms": round(1000 * float(np.median(t)), 1) for name, t in times.items()},
        "compiling, s": round(compiling, 1),
    }


def packaged_generator(mode: MonteCarloMode, compiles: bool) -> CascadeGenerator:
    """The packaged networks without heads, their stages compiled or as they are."""
    network = load_network(read_checkpoint(checkpoint_path("default")))
    assert isinstance(network, Members)
    for member in network.cascades() if compiles else []:
        assert isinstance(member, CoarseCascade)
        for m in range(member.config.stages):
            stage = member.stage(m)
            stage.decode = torch.compile(stage.decode)  # type: ignore[method-assign]
            if stage.encoder is not None:
                stage.encoder.compile()
    cpu = torch.device("cpu")
    precision = resolve_precision("auto", cpu)
    return CascadeGenerator(network.cascades(), cpu, precision, mc=mode)


def seconds(run: Callable[[], object]) -> float:
    """Of one run."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
