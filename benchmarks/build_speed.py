"""Images/s of a whole build against the published network in a plain float32 loop, in one run.

    python benchmarks/build_speed.py [--images 16] [--passes 6] [--size 256]

The build: packaged checkpoint, 20 samples, every sample through every stage, three maps written.
The loop: the published network (33 M parameters a stage, written efficiently), one sample at a
time; its time for `--passes` samples is scaled to 20, as a whole image takes minutes on a CPU.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import torch
from machine import describe_machine

import dfsynth
from dfsynth.checkpoint import CascadeConfig
from dfsynth.models import Cascade
from dfsynth.models.published import PUBLISHED_WIDTHS
from dfsynth.records import MONTE_CARLO_MODES, MonteCarloMode
from dfsynth.resources import data_folder

SAMPLES = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--passes", type=int, default=6)
    parser.add_argument("--size", type=int, default=256)
    arguments = parser.parse_args()
    published_s = time_published(arguments.size, arguments.passes)
    rates = {
        f"{mc}, {precision}": build_rate(arguments.images, arguments.size, precision, mc)
        for precision in ("fp32", "auto")
        for mc in MONTE_CARLO_MODES
    }
    result = {
        **describe_machine(),
        "size": arguments.size,
        "mc_samples": SAMPLES,
        "published_s_per_image": published_s,
        "build_images_per_s": rates,
        "times_faster": {name: rate * published_s for name, rate in rates.items()},
    }
    print(json.dumps(result, indent=2))


@torch.inference_mode()
def time_published(size: int, passes: int) -> float:
    """Seconds an image, of 20 samples through three stages."""
    config = CascadeConfig(widths=PUBLISHED_WIDTHS, lung_head=False, backbone="published")
    network = Cascade(config).eval()
    image = torch.rand(1, 1, size, size)
    masks = torch.ones(1, network.mask_width)
    network(image, masks)
    started = time.perf_counter()
    for _ in range(passes):
        network(image, masks)
    return (time.perf_counter() - started) / passes * SAMPLES


def build_rate(images: int, size: int, precision: str, mc: MonteCarloMode) -> float:
    """Images/s of `dfsynth build`, from planning to the last commit."""
    with tempfile.TemporaryDirectory() as folder:
        source = repeat_samples(Path(folder) / "radiographs", images)
        report = dfsynth.build(
            source=source,
            out=Path(folder) / "x.zarr",
            size=(size, size),
            precision=precision,
            mc_samples=SAMPLES,
            mc=mc,
        )
    if report.ok != images:
        raise SystemExit(f"{report.failed} images failed")
    return images / report.seconds


def repeat_samples(folder: Path, images: int) -> Path:
    """The packaged radiographs under as many names as asked for."""
    folder.mkdir(parents=True)
    samples = sorted(data_folder("samples").glob("*.png"))
    for number in range(images):
        (folder / f"{number:06d}.png").symlink_to(samples[number % len(samples)])
    return folder


if __name__ == "__main__":
    main()
