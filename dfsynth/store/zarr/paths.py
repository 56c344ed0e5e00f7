"""Where the files of a Zarr store lie.

<root>/zarr.json                      group: attributes, consolidated metadata
<root>/<array>/zarr.json              one array (image, y, x)
<root>/<array>/c.<shard>.0.0          one shard object
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dfsynth.store.layout import StoreLayout

DOCUMENT: Final = "zarr.json"
"""The name of every metadata document."""


def group_path(layout: StoreLayout) -> Path:
    """The metadata document of the group."""
    return layout.root / DOCUMENT


def array_path(layout: StoreLayout, name: str) -> Path:
    """The metadata document of one array; its folder holds the shard objects too."""
    return layout.root / name / DOCUMENT


def shard_path(layout: StoreLayout, name: str, shard: int) -> Path:
    """The file that holds the rows of `shard` of one array."""
    return layout.root / name / f"c.{shard}.0.0"


def shard_paths(layout: StoreLayout, names: Sequence[str], shard: int) -> list[Path]:
    """The files that hold the rows of `shard` of several arrays."""
    return [shard_path(layout, name, shard) for name in names]
