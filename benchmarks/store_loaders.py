"""Reading for `store_speed.py`: one image at a time as a torch tensor, here and in workers."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import torch
from store_contenders import CONTENDERS, NAME, Contender, Reader, Shard
from torch.utils.data import DataLoader, Dataset

from dfsynth.store import format_of
from dfsynth.store.dataset import MapDataset

BATCH: Final = 16
EPOCHS: Final = 6
TURN_IMAGES: Final = 100


class ReaderDataset(Dataset[torch.Tensor]):
    """Images of another library, as its users would write it."""

    def __init__(self, contender: Contender, shard: Shard) -> None:
        self._contender = contender
        self._shard = shard
        self._reader: Reader | None = None

    def __len__(self) -> int:
        return self._shard.spec.rows

    def __getitem__(self, index: int) -> torch.Tensor:
        if self._reader is None:
            assert self._contender.open is not None
            self._reader = self._contender.open(self._shard)
        return torch.from_numpy(self._reader(index))

    def __getstate__(self) -> dict[str, Any]:
        """A spawned worker opens the arrays itself; a forked one has those of its parent."""
        return {**self.__dict__, "_reader": None}


def open_dataset(name: str, shard: Shard) -> Any:
    """The images of a written shard; ours by the torch Dataset of a store."""
    if CONTENDERS[name].package is not None:
        return ReaderDataset(CONTENDERS[name], shard)
    rows = range(shard.spec.rows)
    table = pa.table({"row": rows, "image_id": [str(row) for row in rows]})
    return MapDataset(format_of(shard.layout).open_arrays(shard.layout), table, (NAME,))


def measure_reads(
    shards: Mapping[str, Shard], names: Sequence[str], repeat: int
) -> dict[str, list[dict[str, float]]]:
    """Median ms of an image by the clock and in all threads, of each contender and turn.

    Args:
        shards: Ending of a store → its shard.
        names: Of the contenders, which read each image in turns and random order.
        repeat: Turns, without one that warms up.
    """
    torch.set_num_threads(1)
    datasets = {name: open_dataset(name, shards[CONTENDERS[name].suffix]) for name in names}
    draw = np.random.default_rng(0)
    turns: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(repeat + 1):
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
        for row in draw.integers(0, shards[".zarr"].spec.rows, TURN_IMAGES):
            for name in draw.permutation(names):
                started, cpu = time.perf_counter(), time.process_time()
                datasets[name][int(row)]
                times[name].append((time.perf_counter() - started, time.process_time() - cpu))
        for name, found in times.items():
            wall_s, cpu_s = np.median(found, axis=0)
            turns[name].append({"ms": wall_s * 1000, "cpu_ms": cpu_s * 1000})
    return {name: found[1:] for name, found in turns.items()}


def measure_workers(name: str, shard: Shard, method: str) -> dict[str, float]:
    """Images/s of a DataLoader whose workers are forked or spawned after the arrays were read."""
    data = open_dataset(name, shard)
    data[0]
    loader: DataLoader[Any] = DataLoader(
        data,
        BATCH,
        shuffle=True,
        num_workers=shard.threads,
        multiprocessing_context=method,
        persistent_workers=True,
    )
    list(loader)  # workers import what they need, and open
    started = time.perf_counter()
    for _ in range(EPOCHS):
        list(loader)
    return {"images_per_s": EPOCHS * shard.spec.rows / (time.perf_counter() - started)}
