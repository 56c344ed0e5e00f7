"""A build keeps nothing of the images that it is done with."""

import gc
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from radiograph_files import write_image
from toy_generator import ToyMaker

from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent

SHARD_SIZE, SHARDS, WARM = 10, 30, 10
MOST_BYTES_AN_IMAGE = 100
"""Less than the id of an image as text, with its place in a list and some noise."""


def write_table(folder: Path) -> Path:
    """One radiograph under many ids."""
    write_image(folder / "image.png", 1)
    ids = [f"image{number:05d}" for number in range(SHARDS * SHARD_SIZE)]
    table = folder / "table.parquet"
    pq.write_table(pa.table({"image_id": ids, "path": ["image.png"] * len(ids)}), table)
    return table


def held_bytes() -> int:
    """What is held for good, without what waits for the collector."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def test_memory_does_not_grow_with_the_images(tmp_path) -> None:
    held: list[int] = []
    options = BuildOptions.of(
        source=write_table(tmp_path), root=tmp_path, out=tmp_path / "x.zarr", shard_size=SHARD_SIZE
    )
    tracemalloc.start()
    try:
        report = run_build(
            options,
            ToyMaker(),
            Silent(),
            committed=lambda _: held.append(held_bytes()),
        )
    finally:
        tracemalloc.stop()
    assert report.ok == SHARDS * SHARD_SIZE
    assert len(held) == SHARDS
    # The lowest of several, for what is in flight differs; at the last commit nothing is.
    growth = min(held[-WARM:-1]) - min(held[WARM : 2 * WARM])
    assert growth / (WARM * SHARD_SIZE) < MOST_BYTES_AN_IMAGE
