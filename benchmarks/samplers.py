"""What few steps cost and give: quality and images/s of samplers and step counts of a checkpoint.

    python benchmarks/samplers.py CHECKPOINT --data pairs.zarr

Every setting makes the same pairs from the same noise, all in one run and in turns, so that the
ratios of their rates hold on a machine that others use too. PSNR and SSIM are of the mean of the
samples against the truth, over the width of the card's window; the distance is the root mean square
between that mean and the mean of 50 steps of the family's first sampler, over the same width. A
setting that a sampler cannot do has no row. Prints a Markdown table.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
from machine import describe_machine

from dfsynth.checkpoint import (
    CheckpointFiles,
    DenoiserConfig,
    DenoiserMembersConfig,
    checkpoint_path,
    choose_sampler,
    read_checkpoint,
    require_sampling,
)
from dfsynth.datasets import PairImages, PairSource, open_pairs
from dfsynth.devices import resolve_device, resolve_precision
from dfsynth.errors import UsageError
from dfsynth.evaluate.fidelity import measure_fidelity, similarity_map
from dfsynth.evaluate.selection import choose_pairs
from dfsynth.inference import MapGenerator, load_map_generator
from dfsynth.records import Float32Map, SamplerChoice, SamplerSettings

REFERENCE_STEPS: Final = 50
STEPS: Final = (50, 20, 10, 4, 2, 1)


@dataclass(frozen=True, slots=True)
class Row:
    """What one setting gives, as means over the pairs."""

    settings: SamplerSettings
    psnr: float
    """dB."""
    ssim: float
    distance: float
    """Of the mean image from that of the reference, over the width of the window."""
    images_per_s: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--data", type=Path, required=True, help="pairs, as dfsynth evaluate")
    parser.add_argument("--targets", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--limit", type=int, default=32, help="pairs, evenly spaced")
    parser.add_argument("--steps", default=",".join(map(str, STEPS)))
    parser.add_argument("--guidance", type=float, help="the checkpoint's by default")
    parser.add_argument("--mc-samples", type=int, default=4)
    parser.add_argument("--repeat", type=int, default=2, help="turns; the fastest counts")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    arguments = parser.parse_args()
    files = read_checkpoint(checkpoint_path(arguments.checkpoint))
    require_sampling(files.card.arguments, arguments.mc_samples, "full")
    steps = [int(count) for count in arguments.steps.split(",")]
    settings = possible_settings(files, steps, arguments.guidance)
    card, device = files.card, resolve_device(arguments.device)
    precision = resolve_precision(arguments.precision, device)
    source = open_pairs(
        arguments.data,
        arguments.targets,
        card.grid[0],
        card.window,
        card.intensity,
        card.task_record,
    )
    pairs = read_pairs(source, arguments.split, arguments.limit)
    generators = [
        load_map_generator(
            files,
            device,
            precision,
            arguments.mc_samples,
            choice=SamplerChoice(each.sampler, each.steps, each.guidance),
        )
        for each in settings
    ]
    rows = compare(settings, generators, pairs, card.window, arguments.repeat)
    machine = describe_machine()
    where = machine["gpu"] if device.type == "cuda" else f"{machine['processor']}, CPU"
    print(
        f"{card.name} at {card.grid[0]}x{card.grid[1]}, {len(pairs)} pairs of "
        f"{source.description}, {arguments.mc_samples} samples an image, {precision}; {where} "
        f"({machine['cores']} cores), torch {machine['torch']}, {machine['date']}.\n"
    )
    print(as_table(rows))


def possible_settings(
    files: CheckpointFiles, steps: Sequence[int], guidance: float | None
) -> list[SamplerSettings]:
    """The reference, then each other sampler and step count that the checkpoint can do.

    Raises:
        UsageError: the checkpoint draws no samples out of noise, or has no such guidance.
    """
    arguments = files.card.arguments
    config = arguments.network if isinstance(arguments, DenoiserMembersConfig) else arguments
    samplers = config.samplers if isinstance(config, DenoiserConfig) else ("ddim",)
    wanted = SamplerChoice(samplers[0], REFERENCE_STEPS, guidance)
    reference = choose_sampler(arguments, wanted)
    assert reference is not None
    found = [reference]
    for sampler, count in product(samplers, steps):
        try:
            settings = choose_sampler(arguments, SamplerChoice(sampler, count, guidance))
        except UsageError:
            continue
        if settings is not None and settings not in found:
            found.append(settings)
    return found


def read_pairs(source: PairSource, split: str, limit: int) -> list[tuple[str, PairImages]]:
    """Keys and images of pairs of a split."""
    indices = choose_pairs(source, split, limit)
    return [(source.rows[index].key, source.read(index)) for index in indices]


def compare(
    settings: Sequence[SamplerSettings],
    generators: Sequence[MapGenerator],
    pairs: Sequence[tuple[str, PairImages]],
    window: tuple[float, float],
    repeat: int,
) -> list[Row]:
    """Makes all pairs by each generator in turns; the first is what the others are compared with.

    What is slow once, such as loading kernels, is done before by the last.

    `window` is (low, high) in the unit of the maps.
    """
    made: dict[int, list[Float32Map]] = {}
    seconds = [float("inf")] * len(generators)
    make(generators[-1], pairs[:1])
    for _ in range(repeat):
        for place, generator in enumerate(generators):
            start = time.perf_counter()
            made[place] = make(generator, pairs)
            seconds[place] = min(seconds[place], time.perf_counter() - start)
    width = window[1] - window[0]
    return [
        Row(each, *quality(made[place], made[0], pairs, width), len(pairs) / seconds[place])
        for place, each in enumerate(settings)
    ]


def make(generator: MapGenerator, pairs: Sequence[tuple[str, PairImages]]) -> list[Float32Map]:
    """The mean maps (y, x) of pairs, without what surrounds their content."""
    found: list[Float32Map] = []
    size = generator.auto_batch_size(pairs[0][1].image.shape)
    for start in range(0, len(pairs), size):
        batch = pairs[start : start + size]
        maps = generator(np.stack([pair.image for _, pair in batch]), [key for key, _ in batch])
        found += [mean[pair.content] for mean, (_, pair) in zip(maps.mean, batch, strict=True)]
    return found


def quality(
    made: Sequence[Float32Map],
    reference: Sequence[Float32Map],
    pairs: Sequence[tuple[str, PairImages]],
    width: float,
) -> tuple[float, float, float]:
    """PSNR in dB and SSIM against the truth, and distance from the reference; means over pairs."""
    rows = []
    for mean, other, (_, pair) in zip(made, reference, pairs, strict=True):
        truth = (pair.target if pair.clean is None else pair.clean)[pair.content]
        similar = similarity_map(mean, truth, width)
        found = measure_fidelity(mean, truth, similar, np.ones(mean.shape, np.bool_), width)
        distance = float(np.sqrt(np.square(mean - other).mean())) / width
        rows.append((found["psnr"], found["ssim"], distance))
    psnr, ssim, distance = np.mean(rows, axis=0)
    return float(psnr), float(ssim), float(distance)


def as_table(rows: Sequence[Row]) -> str:
    """A Markdown table; differences and ratios are to the first row."""
    first = rows[0]
    lines = [
        "| sampler | steps | PSNR, dB | to the first row | SSIM | distance | images/s | times |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.settings.sampler} | {row.settings.steps} | {row.psnr:.2f} | "
        f"{row.psnr - first.psnr:+.2f} | {row.ssim:.4f} | {row.distance:.4f} | "
        f"{row.images_per_s:.3g} | {row.images_per_s / first.images_per_s:.1f} |"
        for row in rows
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
