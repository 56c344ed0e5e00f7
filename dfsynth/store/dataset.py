"""A torch Dataset over the rows of a store that somebody chose."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from dfsynth.store import ArrayReader, StoredMap


class Sample(TypedDict):
    """One image; the default collate function stacks it."""

    maps: torch.Tensor
    """(map, y, x) float32, in the order asked for."""
    row: int
    """Row in the store's arrays."""
    image_id: str


class MapDataset(Dataset[Sample]):
    """Reads one image at a time; safe in DataLoader workers, forked or spawned."""

    def __init__(self, arrays: ArrayReader, table: pa.Table, maps: tuple[str, ...]) -> None:
        """Takes up the chosen rows; nothing is read yet.

        Args:
            arrays: The arrays (image, y, x) of the store.
            table: Chosen rows of the manifest, one for each sample, in order.
            maps: Names of the arrays that make a sample, in order.
        """
        self.table = table
        """Labels, findings and scores of the samples: row i belongs to sample i."""
        self._arrays = arrays
        self._maps = maps
        self._rows = [int(row) for row in table["row"].to_numpy()]
        self._ids = [str(name) for name in table["image_id"].to_pylist()]

    def __repr__(self) -> str:
        return f"<MapDataset: {len(self)} images of {', '.join(self._maps)}>"

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Sample:
        """One sample: maps (map, y, x) in float32, with row and id.

        Raises:
            IndexError: there is no such sample.
            StoreError: the stored bytes are damaged.
        """
        row = self._rows[index]
        maps = [self._arrays.read(name, row) for name in self._maps]
        return Sample(maps=torch.from_numpy(_stack(maps)), row=row, image_id=self._ids[index])


def _stack(maps: Sequence[StoredMap]) -> NDArray[np.float32]:
    """Maps (y, x) as one array (map, y, x), copied at most once: what was read is nobody else's."""
    if len(maps) == 1:
        return maps[0].astype(np.float32, copy=False)[np.newaxis]
    return np.stack(maps, dtype=np.float32)
