"""Everything that needs a GPU, in one command; prints JSON.

    python benchmarks/gpu.py [--images 256]

At 256² and 1024²: images/s of the generator alone on resident arrays and of a whole build, the
largest and mean difference of each map in bf16 and fp16 against fp32, and the share of the
build's time in which the GPU computes. Then pairs simulated a minute at 512², and pairs trained a
second by the compact and the published form at 256² (by `simulate_speed.py`, `train_speed.py`).
Then dark-field CT at 800²: slices simulated a minute, and patches of 128² trained a second by the
published U-Net at full width (recipe `streak-unet`).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from build_speed import repeat_samples
from machine import describe_machine
from numpy.typing import NDArray
from torch.profiler import ProfilerActivity, profile

import dfsynth
from dfsynth.resources import data_folder

MAPS = ("dark_field", "aleatoric", "epistemic")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=256)
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("no CUDA device: this script measures one")
    result: dict[str, object] = {**describe_machine()}
    for size in (256, 1024):
        result[f"{size}x{size}"] = measure(size, arguments.images)
    simulation = ("--device", "cuda", "--sizes", "512", "--pairs", "600")
    result["simulate"] = run_script("simulate_speed.py", *simulation)
    training = ("--device", "cuda", "--size", "256", "--batch", "8", "--steps", "20")
    result["train"] = run_script("train_speed.py", *training)
    result["dark-field ct"] = measure_slices(24, 40)
    print(json.dumps(result, indent=2))


def run_script(name: str, *arguments: str) -> object:
    """What another script of this folder prints, in a process of its own."""
    command = [sys.executable, str(Path(__file__).with_name(name)), *arguments]
    ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(ended.stdout)


def measure(size: int, images: int) -> dict[str, object]:
    """One grid: builds in three precisions, compared map by map."""
    with tempfile.TemporaryDirectory() as folder:
        radiographs = repeat_samples(Path(folder) / "radiographs", images)
        found: dict[str, object] = {}
        reference: dict[str, NDArray[np.floating]] | None = None
        for precision in ("fp32", "bf16", "fp16"):
            out = Path(folder) / f"{precision}.zarr"
            rate, busy = profiled_build(radiographs, out, size, precision)
            store = dfsynth.open_store(out)
            shown = range(min(images, 32))
            maps = {
                n: np.stack([store.read(n, row) for row in shown]).astype(np.float32) for n in MAPS
            }
            found[precision] = {
                "build_images_per_s": rate,
                "gpu_busy_share": busy,
                "generator_images_per_s": resident_rate(size, precision),
            }
            if reference is None:
                reference = maps
            else:
                found[f"{precision} against fp32"] = {
                    name: {
                        "largest": float(np.abs(maps[name] - reference[name]).max()),
                        "mean": float(np.abs(maps[name] - reference[name]).mean()),
                    }
                    for name in MAPS
                }
        return found


def measure_slices(slices: int, steps: int) -> dict[str, float]:
    """Slices a minute of ten rotations, and patches a second of the published U-Net."""
    with tempfile.TemporaryDirectory() as folder:
        pairs, recipe = Path(folder) / "ct.zarr", Path(folder) / "recipe.toml"
        started = time.perf_counter()
        dfsynth.simulate_pairs(
            pairs, slices, task="dark-field-ct", size=800, device="cuda", shard_size=4, seed=1
        )
        minutes = (time.perf_counter() - started) / 60
        text = (data_folder("recipes") / "streak-unet.toml").read_text()
        recipe.write_text(text.replace("epochs = 100", f"steps = {steps}"))
        trained = dfsynth.train_generator(recipe, pairs, Path(folder) / "run", device="cuda")
        return {
            "slices_per_minute": slices / minutes,
            "patches_per_s": trained.pairs_per_second,
        }


def profiled_build(source: Path, out: Path, size: int, precision: str) -> tuple[float, float]:
    """Images/s of a build, and the share of its time in which kernels ran."""
    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        report = dfsynth.build(
            source=source,
            out=out,
            size=(size, size),
            precision=precision,
            device="cuda",
            dtype="float32",
        )
    busy_us = sum(event.self_device_time_total for event in profiler.key_averages())
    return report.ok / report.seconds, busy_us / 1e6 / report.seconds


def resident_rate(size: int, precision: str) -> float:
    """Images/s of the generator alone, after a warm-up."""
    generator = dfsynth.load_generator(device="cuda", precision=precision)
    batch = generator.auto_batch_size((size, size))
    images = np.random.default_rng(0).random((batch, size, size), np.float32)
    generator(images)
    started = time.perf_counter()
    for _ in range(3):
        generator(images)
    return 3 * batch / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
