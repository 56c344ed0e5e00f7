"""A store as an `xarray.Dataset` whose values are read when they are asked for.

Needs the libraries of the extra `xarray`.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xarray
from xarray.backends import BackendArray
from xarray.core import indexing
from zarr.codecs import BloscCodec

from dfsynth.files.json_record import Json
from dfsynth.store import ArrayReader, ArraySpec
from dfsynth.store.arrays import DIMENSIONS
from dfsynth.store.zarr.chunk import BLOCK_BYTES, LEVEL

_PACKING: Final = BloscCodec(
    cname="zstd", clevel=LEVEL, shuffle="bitshuffle", blocksize=BLOCK_BYTES
)


def view_store(
    arrays: ArrayReader, specs: tuple[ArraySpec, ...], manifest: pa.Table, attrs: dict[str, Json]
) -> xarray.Dataset:
    """The committed images of a store.

    Args:
        arrays: What reads the images.
        specs: The arrays (image, y, x), described.
        manifest: The committed rows, whose `image_id` and `row` become coordinates.
        attrs: Of the whole, as netCDF can write them.
    """
    rows = manifest["row"].to_numpy()
    ids = np.array(manifest["image_id"].to_pylist(), dtype=object)
    return xarray.Dataset(
        {spec.name: _variable(arrays, spec, rows) for spec in specs},
        coords={"image_id": ("image", ids), "row": ("image", rows)},
        attrs=attrs,
    ).set_xindex("image_id")


def _variable(arrays: ArrayReader, spec: ArraySpec, rows: npt.NDArray[np.int64]) -> xarray.Variable:
    stored = StoredImages(arrays, spec, rows)
    return xarray.Variable(
        DIMENSIONS, indexing.LazilyIndexedArray(stored), spec.attributes, _encoding(spec)
    )


def _encoding(spec: ArraySpec) -> dict[str, Any]:
    """How `to_zarr` and `to_netcdf` write the array: one image a chunk, packed as in the store."""
    chunk = (1, spec.height, spec.width)
    encoding: dict[str, Any] = {
        "chunks": chunk,
        "shards": (spec.shard_size, spec.height, spec.width),
        "compressors": [_PACKING],
        "chunksizes": chunk,
        "zlib": True,
        "complevel": 1,
        "shuffle": True,
    }
    if spec.dtype != "uint8":
        encoding["_FillValue"] = np.float32(np.nan)
    return encoding


class StoredImages(BackendArray):
    """The images (image, y, x) of one array, float32 or uint8, for xarray to index.

    It holds no open file: dask may read it from any number of threads and processes.
    """

    def __init__(self, arrays: ArrayReader, spec: ArraySpec, rows: npt.NDArray[np.int64]) -> None:
        """Takes up the rows of the store that are the images, in order; nothing is read yet."""
        self.dtype = np.dtype("uint8" if spec.dtype == "uint8" else "float32")
        self.shape = (len(rows), spec.height, spec.width)
        self._arrays = arrays
        self._name = spec.name
        self._rows = rows

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """The values that `key` names; an image is read once for each time it is named.

        Raises:
            StoreError: the stored bytes are damaged.
        """
        support = indexing.IndexingSupport.OUTER_1VECTOR
        return indexing.explicit_indexing_adapter(key, self.shape, support, self._read)

    def _read(self, key: tuple[Any, ...]) -> npt.NDArray[Any]:
        image, *inside = key
        chosen = self._rows[image]
        if np.ndim(chosen) == 0:
            return self._read_one(chosen, inside)
        # Of a picture that takes no memory, for the shape of what is asked of each.
        blank = np.broadcast_to(self.dtype.type(0), self.shape[1:])[tuple(inside)]
        values = np.empty((len(chosen), *blank.shape), self.dtype)
        for number, row in enumerate(chosen):
            values[number] = self._read_one(row, inside)
        return values

    def _read_one(self, row: np.int64, inside: list[Any]) -> npt.NDArray[Any]:
        return self._arrays.read(self._name, int(row))[tuple(inside)].astype(self.dtype)
