"""What the tests of the store share: a small store and its values."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dfsynth.store import ArraySpec, StoreLayout
from dfsynth.store.zarr.format import ZARR

Maps = dict[str, NDArray[np.float32]]


@pytest.fixture
def layout(tmp_path: Path) -> StoreLayout:
    return StoreLayout(tmp_path / "x.zarr")


@pytest.fixture
def specs() -> tuple[ArraySpec, ...]:
    """Ten rows in shards of four: the last shard is ragged."""
    return (
        ArraySpec("dark_field", "float16", 10, 6, 5, 4),
        ArraySpec("aleatoric", "float32", 10, 6, 5, 4),
    )


@pytest.fixture
def row_maps() -> Callable[[Sequence[ArraySpec], int], Maps]:
    """Values that depend on the row and the array alone."""

    def make(specs: Sequence[ArraySpec], row: int) -> Maps:
        return {
            spec.name: np.random.default_rng([row, number])
            .normal(0, 0.1, (spec.height, spec.width))
            .astype(np.float32)
            for number, spec in enumerate(specs)
        }

    return make


@pytest.fixture
def small_store(
    layout: StoreLayout,
    specs: tuple[ArraySpec, ...],
    row_maps: Callable[[Sequence[ArraySpec], int], Maps],
) -> StoreLayout:
    """All ten rows written, row 1 skipped, and an empty file as each shard's part."""
    ZARR.write_group(layout, specs, {"schema_version": 1})
    for shard in range(specs[0].shards):
        with ZARR.shard_writer(layout, specs, shard) as writer:
            for index in range(specs[0].rows_of(shard)):
                row = shard * 4 + index
                if row == 1:
                    writer.skip(index)
                else:
                    writer.append(index, ZARR.encode_row(specs, row_maps(specs, row)))
            writer.commit()
        layout.part(shard).touch()
    return layout
