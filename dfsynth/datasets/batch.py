"""Pairs as tensors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dfsynth.datasets.protocol import PairImages, PairSource
from dfsynth.records import Float32Map


@dataclass(frozen=True, slots=True, eq=False)
class PairBatch:
    """Images of n pairs; every map (n, 1, H, W) float32, on one device."""

    image: Tensor
    """Inputs as generators take them, such as radiographs in [0, 1], dense bright."""
    target: Tensor
    """As measured: noisy, unclipped."""
    clean: Tensor | None = None
    """Without noise and artefacts; None where unknown."""
    lung: Tensor | None = None
    """1 in the lung field, else 0; None where unknown."""
    lung_weight: Tensor | None = None
    """0 where an outline cannot say whether there is lung, else 1."""
    content: Tensor | None = None
    """1 in the images, 0 in padding and in what a rotation brought in; None: 1 everywhere."""
    first: int = 0
    """Position of the first pair in the batch of all processes together."""
    grid: tuple[int, int] | None = None
    """(height, width) of the whole images, where these are patches of them."""
    corners: Tensor | None = None
    """(n, 2) int64: row and column of the whole image where each patch begins."""

    def to(self, device: torch.device) -> "PairBatch":
        """The same pairs on `device`, maps (n, 1, H, W)."""
        moved: dict[str, Any] = {
            name: value.to(device, non_blocking=True)
            for name in self.__slots__
            if isinstance(value := getattr(self, name), Tensor)
        }
        return replace(self, **moved)


def collate(pairs: Sequence[PairImages], first: int = 0) -> PairBatch:
    """Stacks pairs of one grid (H, W) to maps (n, 1, H, W); one that a pair lacks is None.

    Raises:
        ValueError: no pair, or pairs of different grids.
    """
    if len({pair.image.shape for pair in pairs}) != 1:
        raise ValueError("expected at least one pair, and all of one grid")
    return PairBatch(
        image=_stacked([pair.image for pair in pairs]),
        target=_stacked([pair.target for pair in pairs]),
        clean=_stacked_if_known([pair.clean for pair in pairs]),
        lung=_stacked_if_known([pair.lung for pair in pairs]),
        lung_weight=_stacked_if_known([pair.lung_weight for pair in pairs]),
        content=_content(pairs),
        first=first,
    )


def read_batch(source: PairSource, indices: Sequence[int]) -> PairBatch:
    """The pairs `indices` in order, maps (n, 1, H, W) on the CPU.

    Raises:
        ValueError: no index.
        UsageError, StoreError: as `PairSource.read`.
    """
    return collate([source.read(index) for index in indices])


def _stacked(maps: Sequence[Float32Map]) -> Tensor:
    return torch.from_numpy(np.stack(maps)[:, None])


def _stacked_if_known(maps: Sequence[Float32Map | None]) -> Tensor | None:
    known = [m for m in maps if m is not None]
    return _stacked(known) if len(known) == len(maps) else None


def _content(pairs: Sequence[PairImages]) -> Tensor | None:
    masks = [np.zeros_like(pair.image) for pair in pairs]
    for mask, pair in zip(masks, pairs, strict=True):
        mask[pair.content] = 1
    return None if all(mask.all() for mask in masks) else _stacked(masks)
