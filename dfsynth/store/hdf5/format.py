"""HDF5 as a format of stores."""

from functools import partial
from typing import Final

from dfsynth.store.format import PlainGroup, StoreFormat
from dfsynth.store.hdf5.chunk import COMPRESSION, encode_chunk
from dfsynth.store.hdf5.master import read_group, write_group
from dfsynth.store.hdf5.paths import part_paths
from dfsynth.store.hdf5.reader import Hdf5Arrays, check_part
from dfsynth.store.hdf5.seal import is_sealed
from dfsynth.store.hdf5.writer import Hdf5ShardWriter
from dfsynth.store.layout import FILE_SUFFIXES, StoreLayout
from dfsynth.store.rows import encode_maps


def open_group(layout: StoreLayout) -> PlainGroup:
    """The store, read-only, as h5py opens it; the caller closes it.

    Raises:
        FileNotFoundError: there is no such file.
    """
    import h5py  # noqa: PLC0415 - no job needs it to read

    return h5py.File(layout.root, mode="r")


def has_group(layout: StoreLayout) -> bool:
    """Whether the file is there, whole and one of ours."""
    return is_sealed(layout.root)


HDF5: Final = StoreFormat(
    name="hdf5",
    suffixes=FILE_SUFFIXES,
    documents=frozenset(),
    compression=COMPRESSION,
    refuses_missing=True,
    has_group=has_group,
    write_group=write_group,
    read_group=read_group,
    encode_row=partial(encode_maps, encode_chunk=encode_chunk),
    shard_writer=Hdf5ShardWriter,
    array_reader=Hdf5Arrays,
    shard_files=part_paths,
    check_shard=check_part,
    open_group=open_group,
)
