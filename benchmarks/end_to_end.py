"""Images/s of a whole build against those of its generator alone, in pairs, in one run.

    python benchmarks/end_to_end.py [--images 96] [--size 256] [--pairs 3] [--source DIR]

The build: reads, decodes, generates, scores, writes and commits, timed from its first shard to its
last; planning and loading are left out, which do not grow with a corpus. The generator alone: the
same images, decoded before, in batches of the same size, as many at once as in a build. The order
alternates. Milliseconds of processors an image (`cpu_ms`) stand beside the rates, since other
programs change them least. Without `--source` the packaged radiographs stand under as many names as
asked for.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
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


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast images are made."""

    images_per_s: float
    cpu_ms: float
    """Of processors, an image, in all threads."""


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
            alone.append(pace_alone(generator, inputs))
        report = dfsynth.build(source=source, out=out, size=size, mc=mc)
        if report.stages is None or report.failed:
            raise SystemExit(f"{report.failed} images failed")
        use = report.stages
        whole.append(Pace(report.ok / use.seconds, 1000 * use.processor_s / report.ok))
        if not number % 2:
            alone.append(pace_alone(generator, inputs))
    turns = list(zip(whole, alone, strict=True))
    shares = [built.images_per_s / made.images_per_s for built, made in turns]
    cpu_shares = [made.cpu_ms / built.cpu_ms for built, made in turns]
    return {
        "batch_size": generator.batch_size,
        "at_once": generator.at_once,
        "generator": [asdict(pace) for pace in alone],
        "build": [asdict(pace) for pace in whole],
        "share": statistics.median(shares),
        "shares": shares,
        "cpu_share": statistics.median(cpu_shares),
        "cpu_shares": cpu_shares,
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


def pace_alone(generator: Generator, inputs: Sequence[ModelInput]) -> Pace:
    """The generator's; the first batch warms it up and does not count."""
    step = generator.batch_size
    batches = [inputs[start : start + step] for start in range(0, len(inputs), step)]
    names = [[f"{number}-{i}" for i in range(len(batch))] for number, batch in enumerate(batches)]
    generator.generate(batches[0], names[0])
    started, computed = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(generator.at_once) as threads:
        list(threads.map(generator.generate, batches, names))
    return Pace(
        len(inputs) / (time.perf_counter() - started),
        1000 * (time.process_time() - computed) / len(inputs),
    )


if __name__ == "__main__":
    main()
