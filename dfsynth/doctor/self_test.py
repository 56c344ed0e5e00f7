"""The packaged generator on a packaged radiograph: does it give what it should, and how fast?"""

import json
import time
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.checkpoint import checkpoint_path, read_checkpoint
from dfsynth.devices import resolve_device
from dfsynth.doctor.findings import SelfTest
from dfsynth.inference import MapGenerator, load_map_generator
from dfsynth.options import DEFAULT_MC_SAMPLES
from dfsynth.preprocess import ModelInputReader
from dfsynth.records import Generated, ModelInput
from dfsynth.resources import data_folder

CHECKPOINT: Final = "default"
SAMPLE: Final = "hannover_0ac7580d.png"
MAPS: Final = ("mean", "aleatoric", "epistemic")
BLOCKS: Final = 8
"""Blocks a side: a map is compared by the means of its blocks."""
TOLERANCES: Final = {"fp32": 1e-3, "bf16": 5e-3, "fp16": 5e-3}
"""The largest difference of a block's mean, in the unit of the dark-field image: that of other
processors and libraries in float32, and of rounding in the others."""
_EXPECTED: Final = "self_test.json"
_SEED: Final = 0


def run_self_test(device: str, precision: str, images: int, seconds: float) -> SelfTest:
    """Generates for about `seconds`, one image at least, and projects the time for `images`.

    Raises:
        DfsynthError: the checkpoint is damaged, or the batch does not fit the device.
    """
    generator, sample = _load(device, precision)
    began = time.perf_counter()
    found = block_means(generator.generate([sample], ["self-test"])[0])
    once = time.perf_counter() - began
    difference = max(float(np.abs(found[name] - wanted).max()) for name, wanted in _wanted())
    # Half the time at most for one batch, going by the first image, which is the slowest.
    batch = max(1, min(generator.auto_batch_size(_grid_of(sample)), int(seconds / 2 / once)))
    done, began = 0, time.perf_counter()
    while not done or time.perf_counter() - began < seconds:
        generator.generate([sample] * batch, [f"self-test-{i}" for i in range(batch)])
        done += batch
    spent = time.perf_counter() - began
    return SelfTest(
        checkpoint=CHECKPOINT,
        mc_samples=DEFAULT_MC_SAMPLES,
        batch_size=batch,
        images=done,
        seconds=spent,
        images_per_s=done / spent,
        projected_images=images,
        projected_seconds=images * spent / done,
        largest_difference=difference,
        tolerance=TOLERANCES[precision],
        # Written so that NaN does not pass.
        passed=difference <= TOLERANCES[precision],
    )


def generate_maps(device: str, precision: str) -> dict[str, list[list[float]]]:
    """The means of blocks of each map, (8, 8), that the packaged sample gives here."""
    generator, sample = _load(device, precision)
    found = block_means(generator.generate([sample], ["self-test"])[0])
    return {name: found[name].round(5).tolist() for name in MAPS}


def expected_maps() -> Path:
    """The file with what `generate_maps` gave in float32 on the CPU."""
    return data_folder("samples") / _EXPECTED


def block_means(maps: Generated) -> dict[str, NDArray[np.float64]]:
    """Map → the mean of each of its blocks, (8, 8), of maps (H, W) with sides of full blocks."""
    found = {}
    for name in MAPS:
        values = np.asarray(getattr(maps, name), np.float64)
        height, width = (side // BLOCKS for side in values.shape)
        blocks = values.reshape(BLOCKS, height, BLOCKS, width)
        found[name] = blocks.mean(axis=(1, 3))
    return found


def _wanted() -> list[tuple[str, NDArray[np.float64]]]:
    document = json.loads(expected_maps().read_text(encoding="utf-8"))
    return [(name, np.asarray(document[name])) for name in MAPS]


def _load(device: str, precision: str) -> tuple[MapGenerator, ModelInput]:
    files = read_checkpoint(checkpoint_path(CHECKPOINT))
    read = ModelInputReader(files.card.grid, files.card.intensity)
    _, sample = read((data_folder("samples") / SAMPLE).read_bytes())
    where = resolve_device(device)
    return load_map_generator(files, where, precision, DEFAULT_MC_SAMPLES, _SEED, "full"), sample


def _grid_of(sample: ModelInput) -> tuple[int, int]:
    height, width = sample.image.shape
    return height, width
