"""Training throughput of recipes against the last of them, at equal size and batch.

    python benchmarks/train_speed.py [--size 128] [--batch 4] [--steps 5] [--device cpu]
    python benchmarks/train_speed.py --recipes coarse-256 compact-256 --size 256 --batch 8

Steps of the joint phase, in which all three stages are trained, on one batch of noise that lies
ready; steps of all alternate, so that a noisy machine slows each. Precision as `--precision
auto` chooses it, and in float32.
"""

import argparse
import json
from dataclasses import replace

import numpy as np
import torch
from machine import describe_machine
from training_steps import noise_batch, step_seconds

from dfsynth.devices import resolve_device, resolve_precision
from dfsynth.train import read_recipe, recipe_path
from dfsynth.train.processes import Processes
from dfsynth.train.trainer import Trainer


def make_trainer(name: str, size: int, batch: int, device: torch.device, precision: str) -> Trainer:
    """Ready for a step of its joint phase."""
    recipe = replace(read_recipe(recipe_path(name)), size=size, batch=batch)
    trainer = Trainer(recipe, device, precision, Processes(), batch)
    trainer.start_phase(len(recipe.phase) - 1)
    return trainer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--recipes", nargs="+", default=["coarse-256", "compact-256", "published"])
    arguments = parser.parse_args()
    device = resolve_device(arguments.device)
    side, count = arguments.size, arguments.batch
    batch = noise_batch(side, count, device)
    result: dict[str, object] = {**describe_machine(), "size": side, "batch": count}
    for precision in dict.fromkeys(("fp32", resolve_precision("auto", device))):
        trainers = {n: make_trainer(n, side, count, device, precision) for n in arguments.recipes}
        for trainer in trainers.values():
            step_seconds(trainer, batch)
        seconds: dict[str, list[float]] = {name: [] for name in trainers}
        for _ in range(arguments.steps):
            for name, trainer in trainers.items():
                seconds[name].append(step_seconds(trainer, batch))
        rates = {name: count / float(np.median(found)) for name, found in seconds.items()}
        result[precision] = {
            **{f"{name}, pairs/s": round(rate, 3) for name, rate in rates.items()},
            "times as fast": {n: round(rates[n] / rates[arguments.recipes[-1]], 1) for n in rates},
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
