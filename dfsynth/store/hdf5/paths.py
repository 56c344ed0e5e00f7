"""Where the files of an HDF5 store lie.

x.h5                         virtual datasets (image, y, x), attributes
x.h5.parts/part-NNNNNNN.h5   the rows of shard N of every array
"""

from collections.abc import Sequence
from pathlib import Path

from dfsynth.store.layout import StoreLayout


def part_path(layout: StoreLayout, shard: int) -> Path:
    """The file that holds the rows of `shard` of every array."""
    return layout.folder / f"part-{shard:07d}.h5"


def part_paths(layout: StoreLayout, names: Sequence[str], shard: int) -> list[Path]:  # noqa: ARG001
    """See `StoreFormat.shard_files`: one file, whichever the arrays."""
    return [part_path(layout, shard)]


def dataset_name(array: str, key: str) -> str:
    """What an array is called in the parts of the store with this key.

    Where a part is missing, HDF5 looks for its relative path in the current folder too. A store of
    the same name there would lend its images, were it not for the key.
    """
    return f"{array}.{key}"
