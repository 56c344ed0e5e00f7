"""What the tests of the store share: a small store, its values, and child processes."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dfsynth.store import ArraySpec, StoreLayout, ZarrShardWriter, write_group

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
    write_group(layout, specs, {"schema_version": 1})
    for shard in range(specs[0].shards):
        with ZarrShardWriter(layout, specs, shard) as writer:
            for index in range(specs[0].rows_of(shard)):
                row = shard * 4 + index
                if row == 1:
                    writer.skip(index)
                else:
                    writer.append(index, row_maps(specs, row))
            writer.commit()
        layout.part(shard).touch()
    return layout


@pytest.fixture
def start_child() -> Callable[..., "subprocess.Popen[str]"]:
    """Starts a Python process on a source text or file; lines both ways through pipes."""
    children: list[subprocess.Popen[str]] = []

    def start(program: str | Path, *arguments: object) -> "subprocess.Popen[str]":
        command = [str(program)] if isinstance(program, Path) else ["-c", program]
        child = subprocess.Popen(
            [sys.executable, *command, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()
