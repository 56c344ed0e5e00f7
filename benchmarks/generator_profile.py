"""Where the time of a generator goes: share of each kind of operation, on this machine's CPU.

    python benchmarks/generator_profile.py [--checkpoint default] [--mc full] [--size 256]
    ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 python benchmarks/generator_profile.py

One image, 20 samples, in the precision that `auto` chooses and in float32.
"""

import argparse
import json
from collections import defaultdict
from typing import Final

import numpy as np
import torch
from machine import describe_machine
from torch.profiler import ProfilerActivity, profile

import dfsynth
from dfsynth.devices import resolve_precision

_KINDS: Final = {
    "convolution": ("mkldnn_convolution", "convolution", "_slow_conv", "thnn_conv"),
    "joining and copying": ("cat", "copy_", "clone", "contiguous", "repeat_interleave", "to"),
    "normalisation": ("native_group_norm", "group_norm"),
    "activation": ("silu", "softplus", "sigmoid", "tanh", "exp", "log", "lgamma"),
    "interpolation": ("upsample_bilinear2d", "avg_pool2d", "pixel_unshuffle"),
    "arithmetic": ("mul", "add", "sub", "div", "square", "sqrt", "add_", "mul_", "clamp_min"),
}
_RUNS: Final = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--mc", default="full", choices=("full", "fast"))
    parser.add_argument("--size", type=int, default=256)
    arguments = parser.parse_args()
    image = np.random.default_rng(0).random((1, arguments.size, arguments.size), np.float32)
    result: dict[str, object] = {**describe_machine(), **vars(arguments)}
    for precision in dict.fromkeys(("fp32", resolve_precision("auto", torch.device("cpu")))):
        generator = dfsynth.load_generator(
            arguments.checkpoint, device="cpu", precision=precision, mc=arguments.mc
        )
        generator(image)
        with profile(activities=[ProfilerActivity.CPU]) as found:
            for _ in range(_RUNS):
                generator(image)
        spent: dict[str, float] = defaultdict(float)
        for event in found.key_averages():
            spent[kind_of(event.key)] += event.self_cpu_time_total / 1000 / _RUNS
        total = sum(spent.values())
        result[precision] = {
            "ms an image": round(total, 1),
            **{k: f"{v / total:.0%}" for k, v in sorted(spent.items(), key=lambda e: -e[1])},
        }
    print(json.dumps(result, indent=2))


def kind_of(operation: str) -> str:
    """The kind of an operation by its name in torch."""
    name = operation.removeprefix("aten::")
    return next((kind for kind, names in _KINDS.items() if name in names), "other")


if __name__ == "__main__":
    main()
