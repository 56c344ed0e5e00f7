"""Measures `dfsynth export`: images a second, and processor time an image, for each format.

    python benchmarks/export_speed.py [--images 1000] [--size 256] [--repeat 3] [--to png dicom]

The store holds dark-field, aleatoric and epistemic maps: a smooth bump plus white noise of 0.005,
rounded as a build rounds them. Formats take turns, so that a load of the machine meets them all;
the median of the turns is given. Processor time is that of all threads: on idle cores, an export
takes at least that, divided by their number.
"""

import argparse
import json
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from machine import describe_machine
from without_generator import NoGenerator

import dfsynth
from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.records import Generated, ModelInput

FORMATS = ("png", "tiff", "dicom", "webdataset", "parquet")


class Bumps:
    """Implements `dfsynth.jobs.generator.Generator`; maps that pack as real ones do."""

    batch_size = 16
    at_once = 1
    description = "numpy"

    def generate(self, inputs: Sequence[ModelInput], image_ids: Sequence[str]) -> list[Generated]:
        """Maps (y, x) of the inputs' grid; equal names have equal ones."""
        return [self._one(each, name) for each, name in zip(inputs, image_ids, strict=True)]

    def _one(self, source: ModelInput, image_id: str) -> Generated:
        height, width = source.image.shape
        rng = np.random.default_rng(len(image_id) + sum(image_id.encode()))
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        bump = np.exp(-2 * (x**2 + y**2)).astype(np.float32)
        noise = rng.normal(0, 0.005, (3, height, width)).astype(np.float32)
        return Generated(
            mean=0.4 * bump + noise[0],
            aleatoric=0.08 + 0.05 * bump + np.abs(noise[1]),
            epistemic=0.02 * bump + np.abs(noise[2]),
            lung=np.ones_like(bump),
        )


class BumpMaker(NoGenerator):
    """Implements `dfsynth.jobs.generator.GeneratorMaker`."""

    def make(self, precision: str, grid: tuple[int, int]) -> Bumps:  # type: ignore[override]  # noqa: ARG002
        """The same for every precision and grid."""
        return Bumps()


def make_store(folder: Path, images: int, size: int) -> Path:
    """A store of so many images on a square grid."""
    source, out = folder / "source", folder / "x.zarr"
    source.mkdir()
    rng = np.random.default_rng(0)
    for number in range(images):
        pixels = rng.integers(0, 255, (32, 32), np.uint8)
        assert cv2.imwrite(str(source / f"{number:06d}.png"), pixels)
    options = BuildOptions(source=str(source), out=out, size=(size, size), shard_size=256)
    run_build(options, BumpMaker((size, size)), Silent())
    return out


def measure(store: Path, to: str) -> tuple[float, float, int]:
    """Seconds, seconds of processors, and bytes of one export, which is removed again."""
    out = store.parent / f"out-{to}"
    before, started = _processor_s(), time.perf_counter()
    dfsynth.export(store, out, to=to)
    seconds, busy = time.perf_counter() - started, _processor_s() - before
    size_bytes = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    shutil.rmtree(out)
    return seconds, busy, size_bytes


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Prints the machine, and a line for each format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--to", nargs="+", default=list(FORMATS))
    given = parser.parse_args()
    print(json.dumps(describe_machine()))
    with tempfile.TemporaryDirectory() as folder:
        store = make_store(Path(folder), given.images, given.size)
        turns = [[measure(store, to) for to in given.to] for _ in range(given.repeat)]
    for place, to in enumerate(given.to):
        rounds = [turn[place] for turn in turns]
        seconds, busy, size_bytes = (statistics.median(each) for each in zip(*rounds, strict=True))
        print(
            f"{to:12} {given.images / seconds:8.1f} images/s  "
            f"{1e3 * busy / given.images:6.2f} ms of processors an image  "
            f"{size_bytes / given.images / 1e3:7.0f} kB an image"
        )


if __name__ == "__main__":
    main()
