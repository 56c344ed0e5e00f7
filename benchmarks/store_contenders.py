"""The libraries that write and read the same shards as a store does, for `store_speed.py`.

Each is used as its own documentation has it, and may use as many threads as ours. What is not
installed is left out; the newest zarr-python needs a newer Python than dfsynth does.
"""

import importlib
import importlib.util
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dfsynth.store import ArraySpec, EncodedRow, StoreLayout, format_of
from dfsynth.store.hdf5.chunk import LEVEL
from dfsynth.store.zarr.chunk import encode_chunk

Images: TypeAlias = Iterable[NDArray[np.float32]]
"""The images (y, x) of a shard, one after the other; or one array (image, y, x) of them."""
Reader: TypeAlias = Callable[[int], NDArray[Any]]
"""Gives one image (y, x) by its row."""
NAME: Final = "dark_field"


@dataclass(frozen=True, slots=True)
class Shard:
    """The one shard of a store, whose documents are there."""

    layout: StoreLayout
    spec: ArraySpec
    threads: int

    @property
    def file(self) -> Path:
        """The one file of the shard, in the format of the store."""
        return format_of(self.layout).shard_files(self.layout, [NAME], 0)[0]

    @property
    def plain_file(self) -> Path:
        """An HDF5 file without virtual datasets, beside the store."""
        return self.layout.root.with_name("plain.h5")


@dataclass(frozen=True, slots=True)
class Contender:
    """A library, or a way to use it."""

    suffix: str
    """Of the stores that it writes and reads."""
    write: Callable[[Shard, Images], Path]
    """Writes all images; returns the file that it wrote, not flushed but by ours."""
    open: Callable[[Shard], Reader] | None
    """None where another contender reads the same."""
    package: str | None = None
    """What has to be installed, as MODULE or MODULE:ATTRIBUTE; None for our own."""
    takes_whole: bool = False
    """Whether it is given one array of all images, since it would write the shard anew for each."""
    rounds: bool = False
    """Whether it is given images as they are computed, and rounds them itself."""

    @property
    def installed(self) -> bool:
        """Whether it can take part."""
        if self.package is None:
            return True
        module, _, attribute = self.package.partition(":")
        if importlib.util.find_spec(module.partition(".")[0]) is None:
            return False
        return not attribute or hasattr(importlib.import_module(module), attribute)


def flush(path: Path) -> None:
    """Puts a written file on the disk, as ours is when it is committed."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _write_ours(shard: Shard, images: Images) -> Path:
    """Rounds, checks, sums and packs images in threads, a few ahead, as a job does."""
    encode = partial(format_of(shard.layout).encode_row, [shard.spec])
    return _append(shard, images, lambda values: encode({NAME: values}))


def _pack_ours(shard: Shard, images: Images) -> Path:
    """Packs images that are rounded, and no more: what the other libraries do."""
    return _append(shard, images, lambda values: EncodedRow((encode_chunk(values),), ""))


def _append(
    shard: Shard, images: Images, encode: Callable[[NDArray[np.float32]], EncodedRow]
) -> Path:
    with (
        ThreadPoolExecutor(shard.threads) as pool,
        format_of(shard.layout).shard_writer(shard.layout, [shard.spec], 0) as writer,
    ):
        futures = (pool.submit(encode, values) for values in images)
        for index, row in enumerate(_results(futures, 2 * shard.threads)):
            writer.append(index, row)
        writer.commit()
    return shard.file


def _results(futures: Iterable[Future[EncodedRow]], ahead: int) -> Iterator[EncodedRow]:
    """In order, so many at work at once."""
    waiting: deque[Future[EncodedRow]] = deque()
    for future in futures:
        waiting.append(future)
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    for future in waiting:
        yield future.result()


def _open_ours(shard: Shard) -> Reader:
    return partial(format_of(shard.layout).open_arrays(shard.layout).read, NAME)


def _zarr_array(shard: Shard, pipeline: str, mode: str) -> Any:
    zarr = importlib.import_module("zarr")
    importlib.import_module(pipeline.rpartition(".")[0])
    zarr.config.set(
        {
            "codec_pipeline.path": pipeline,
            "threading.max_workers": shard.threads,
            "async.concurrency": shard.threads,
        }
    )
    return zarr.open_array(str(shard.layout.root / NAME), mode=mode)


def _write_zarr(pipeline: str, shard: Shard, images: Images) -> Path:
    _zarr_array(shard, pipeline, "r+")[:] = images
    return shard.file


def _open_zarr(pipeline: str, shard: Shard) -> Reader:
    array = _zarr_array(shard, pipeline, "r")
    return lambda row: np.asarray(array[row])


def _zarr(pipeline: str, package: str) -> Contender:
    write, read = partial(_write_zarr, pipeline), partial(_open_zarr, pipeline)
    return Contender(".zarr", write, read, package, takes_whole=True)


def _tensorstore_array(shard: Shard) -> Any:
    tensorstore = importlib.import_module("tensorstore")
    spec = {
        "driver": "zarr3",
        "kvstore": {"driver": "file", "path": str(shard.layout.root / NAME)},
        "context": {
            "data_copy_concurrency": {"limit": shard.threads},
            "file_io_sync": False,  # flushed by us, as the files of all others
        },
    }
    return tensorstore.open(spec, open=True).result()


def _write_tensorstore(shard: Shard, images: Images) -> Path:
    _tensorstore_array(shard)[:] = images
    return shard.file


def _open_tensorstore(shard: Shard) -> Reader:
    array = _tensorstore_array(shard)
    return lambda row: np.asarray(array[row].read().result())


def _write_h5py(shard: Shard, images: Images) -> Path:
    """The same chunks through HDF5's own filters, row by row."""
    h5py = importlib.import_module("h5py")
    spec = shard.spec
    with h5py.File(shard.plain_file, "w", libver="earliest") as file:
        dataset = file.create_dataset(
            NAME,
            (spec.rows, spec.height, spec.width),
            spec.stored_dtype,
            chunks=(1, spec.height, spec.width),
            compression="gzip",
            compression_opts=LEVEL,
            shuffle=True,
        )
        for row, values in enumerate(images):
            dataset[row] = values
    return shard.plain_file


def _open_h5py(shard: Shard) -> Reader:
    """Our store through its virtual dataset."""
    h5py = importlib.import_module("h5py")
    dataset = h5py.File(shard.layout.root, "r")[NAME]
    return lambda row: np.asarray(dataset[row])


_PIPELINES: Final = "zarr.core.codec_pipeline"
CONTENDERS: Final = {
    "dfsynth": Contender(".zarr", _write_ours, _open_ours, rounds=True),
    "dfsynth, packing alone": Contender(".zarr", _pack_ours, None),
    "zarr-python": _zarr(f"{_PIPELINES}.BatchedCodecPipeline", "zarr"),
    "zarr-python, fused": _zarr(
        f"{_PIPELINES}.FusedCodecPipeline", f"{_PIPELINES}:FusedCodecPipeline"
    ),
    "zarrs": _zarr("zarrs.ZarrsCodecPipeline", "zarrs"),
    "tensorstore": Contender(
        ".zarr", _write_tensorstore, _open_tensorstore, "tensorstore", takes_whole=True
    ),
    "dfsynth, HDF5": Contender(".h5", _write_ours, _open_ours, rounds=True),
    "h5py": Contender(".h5", _write_h5py, _open_h5py, "h5py"),
}
"""Name → library. Others are compared to the first of all; h5py to our HDF5 as well."""
