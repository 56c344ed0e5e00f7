"""Files of committed shards that are gone."""

import os
from collections.abc import Sequence
from pathlib import Path

from dfsynth.files.faults import store_faults
from dfsynth.store.layout import StoreLayout
from dfsynth.store.registry import format_of


def missing_files(layout: StoreLayout, names: Sequence[str]) -> list[Path]:
    """The array files of committed shards that are not there, by one scan of each folder.

    Args:
        layout: Where the store lies.
        names: Of its arrays.

    Raises:
        StoreError: a folder cannot be read.
    """
    shard_files = format_of(layout).shard_files
    held: dict[Path, frozenset[str]] = {}
    missing = []
    for shard in sorted(layout.committed_shards()):
        for path in shard_files(layout, names, shard):
            if path.parent not in held:
                held[path.parent] = _names_in(path.parent)
            if path.name not in held[path.parent]:
                missing.append(path)
    return missing


def _names_in(folder: Path) -> frozenset[str]:
    with store_faults(f"list {folder}"):
        try:
            return frozenset(os.listdir(folder))  # noqa: PTH208 - names alone, as fast as can be
        except FileNotFoundError:
            return frozenset()
