"""Images/s of a whole build against those of its generator alone, in pairs, in one run.

    python benchmarks/end_to_end.py [--images 96] [--size 256] [--pairs 3] [--source DIR]

The build: reads, decodes, generates, scores, writes and commits, timed from its first shard to its
last; planning and loading are left out, which do not grow with a corpus. The generator alone: the
same images, decoded before, in batches of the same size. The order alternates. Without `--source`
the packaged radiographs stand under as many names as asked for.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from build_speed import repeat_samples
from machine import describe_machine

import dfsynth
from dfsynth.decode import DecodeLimits
from dfsynth.jobs.checkpoint_generator import CheckpointMaker
from dfsynth.jobs.generator import Generator, GeneratorMaker
from dfsynth.options import BuildOptions
from dfsynth.preprocess import ModelInputReader
from dfsynth.records import MONTE_CARLO_MODES, ModelInput, MonteCarloMode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=96)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--source", type=Path)
    arguments = parser.parse_args()
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        source = named_images(arguments.source, Path(folder) / "radiographs", arguments.images)
        for mc in MONTE_CARLO_MODES:
            found[mc] = compare(source, Path(folder), arguments.size, arguments.pairs, mc)
    print(json.dumps({**describe_machine(), **vars(arguments), "modes": found}, default=str))


def named_images(source: Path | None, folder: Path, images: int) -> Path:
    """A folder of so many images: those of `source` over and over, or the packaged ones."""
    if source is None:
        return repeat_samples(folder, images)
    folder.mkdir()
    files = sorted(path for path in source.iterdir() if path.is_file())
    for number in range(images):
        file = files[number % len(files)]
        (folder / f"{number:06d}{file.suffix}").symlink_to(file.resolve())
    return folder


def compare(
    source: Path, folder: Path, size: int, pairs: int, mc: MonteCarloMode
) -> dict[str, object]:
    """Rates of both, pair by pair, and the share that the build reaches."""
    options = BuildOptions.of(source=source, out=folder / "unused.zarr", size=size, mc=mc)
    generator, inputs = load(options, (size, size), sorted(source.iterdir()))
    alone, whole, use = [], [], None
    for number in range(pairs):
        out = folder / f"{mc}-{number}.zarr"
        if number % 2:
            alone.append(generator_rate(generator, inputs))
        report = dfsynth.build(source=source, out=out, size=size, mc=mc)
        if report.stages is None or report.failed:
            raise SystemExit(f"{report.failed} images failed")
        use = report.stages
        whole.append(report.ok / use.seconds)
        if not number % 2:
            alone.append(generator_rate(generator, inputs))
    shares = [built / made for built, made in zip(whole, alone, strict=True)]
    return {
        "batch_size": generator.batch_size,
        "generator_images_per_s": alone,
        "build_images_per_s": whole,
        "share": statistics.median(shares),
        "shares": shares,
        "stages": use,
    }


def load(
    options: BuildOptions, grid: tuple[int, int], files: Iterable[Path]
) -> tuple[Generator, list[ModelInput]]:
    """The generator that a build takes, and what it reads of these files."""
    maker: GeneratorMaker = CheckpointMaker(options)
    generator = maker.make(maker.resolve_precision("auto"), grid)
    reader = ModelInputReader(grid, maker.facts.intensity, DecodeLimits())
    return generator, [reader(path.read_bytes())[1] for path in files]


def generator_rate(generator: Generator, inputs: Sequence[ModelInput]) -> float:
    """Images/s of the generator alone; the first batch warms it up and does not count."""
    step = generator.batch_size
    batches = [inputs[start : start + step] for start in range(0, len(inputs), step)]
    generator.generate(batches[0], [str(number) for number in range(len(batches[0]))])
    started = time.perf_counter()
    for number, batch in enumerate(batches):
        generator.generate(batch, [f"{number}-{image}" for image in range(len(batch))])
    return len(inputs) / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
