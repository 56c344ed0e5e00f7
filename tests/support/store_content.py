"""What a store says, in a form that two stores can be compared by."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import zarr
from numpy.typing import NDArray

from dfsynth.store.opened import Store, open_store

TIMINGS = ("seconds",)


def store_content(path: Path) -> tuple[dict[str, np.ndarray], pa.Table]:
    """All array values and the manifest without timings."""
    store = open_store(path)
    arrays = {name: plain_array(store, name) for name in store.maps}
    return arrays, store.manifest.drop_columns(list(TIMINGS))


def plain_array(store: Store, name: str) -> NDArray[Any]:
    """All values of a stored map, as the library of the store's format alone reads them."""
    opened = store.arrays
    if isinstance(opened, h5py.File):
        with opened:
            return np.asarray(opened[name][:])
    array = opened[name]
    assert isinstance(array, zarr.Array)
    return np.asarray(array[:])


def assert_equal_stores(one: Path, other: Path) -> None:
    """Values bit for bit, NaN included, and manifests row for row."""
    arrays_one, manifest_one = store_content(one)
    arrays_other, manifest_other = store_content(other)
    assert arrays_one.keys() == arrays_other.keys()
    for name, values in arrays_one.items():
        np.testing.assert_array_equal(values, arrays_other[name], err_msg=name)
    assert manifest_one.equals(manifest_other)
