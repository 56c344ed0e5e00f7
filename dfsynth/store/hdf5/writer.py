"""Writes one shard of an HDF5 store as a stream, in row order; memory holds no row."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from dfsynth.errors import StoreError
from dfsynth.files.faults import store_faults
from dfsynth.store.arrays import ArraySpec
from dfsynth.store.checksum import CRC_BYTES
from dfsynth.store.hdf5.chunk import LEVEL
from dfsynth.store.hdf5.file import Hdf5File
from dfsynth.store.hdf5.master import read_key
from dfsynth.store.hdf5.part_index import PartIndex, no_entries, structure_crc32c
from dfsynth.store.hdf5.paths import dataset_name, part_path
from dfsynth.store.layout import StoreLayout
from dfsynth.store.shard_stream import ShardStream

if TYPE_CHECKING:
    import h5py


class Hdf5ShardWriter(ShardStream):
    """The `ShardWriter` of HDF5 stores: one part file, to which chunks go as they are encoded."""

    def __init__(self, layout: StoreLayout, specs: Sequence[ArraySpec], shard: int) -> None:
        """Opens one temporary file for all arrays (image, y, x); the group must exist.

        Raises:
            StoreError: there is no such shard or no group, or the file cannot be made.
        """
        super().__init__(specs, shard)
        key = read_key(layout)
        if key is None:
            raise StoreError(f"{layout.root} is missing or damaged; run dfsynth verify --repair")
        self._names = tuple(spec.name for spec in specs)
        self._key = key
        self._entries = no_entries(len(specs), specs[0].shard_size)
        self._file = Hdf5File(part_path(layout, shard), layout.scratch, layout.owner(shard))
        try:
            with self._file.calling() as content:
                self._datasets = [_make_dataset(content, spec, key) for spec in specs]
        except BaseException:
            self.discard()
            raise

    def _write(self, index: int, chunks: Sequence[bytes]) -> None:
        with self._file.calling():
            for dataset, chunk in zip(self._datasets, chunks, strict=True):
                dataset.id.write_direct_chunk((index, 0, 0), memoryview(chunk)[:-CRC_BYTES])
        for number, chunk in enumerate(chunks):
            self._entries[number, index]["crc32c"] = int.from_bytes(chunk[-CRC_BYTES:], "little")

    def _publish(self) -> None:
        with self._file.calling():
            for number, dataset in enumerate(self._datasets):
                dataset.id.chunk_iter(lambda found, into=self._entries[number]: _note(found, into))
        stream = self._file.close()
        with store_faults(f"read back {self._file.target}"):
            crc = structure_crc32c(stream.fileno(), self._entries, stream.seek(0, os.SEEK_END))
        self._file.seal(PartIndex(self._key, self._names, self._entries, crc).to_bytes())
        self._file.publish()

    def _drop(self) -> None:
        self._file.discard()


def _make_dataset(file: "h5py.File", spec: ArraySpec, key: str) -> Any:
    """One array of the part, as long as a full shard so that a last shard can grow."""
    return file.create_dataset(
        dataset_name(spec.name, key),
        shape=(spec.shard_size, spec.height, spec.width),
        dtype=spec.stored_dtype,
        chunks=(1, spec.height, spec.width),
        compression="gzip",
        compression_opts=LEVEL,
        shuffle=True,
        fillvalue=spec.empty_map()[0, 0],
    )


def _note(found: Any, into: NDArray[Any]) -> None:
    """Takes up where HDF5 has put a chunk."""
    entry = into[found.chunk_offset[0]]
    entry["offset"], entry["size_bytes"] = found.byte_offset, found.size
