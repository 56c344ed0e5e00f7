"""Zarr v3 as a format of stores."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from dfsynth.files.faults import is_there
from dfsynth.store.arrays import ArraySpec
from dfsynth.store.format import PlainGroup, StoreFormat
from dfsynth.store.layout import StoreLayout
from dfsynth.store.rows import encode_maps
from dfsynth.store.zarr.chunk import COMPRESSION, encode_chunk
from dfsynth.store.zarr.metadata import find_changed_documents, read_group, write_group
from dfsynth.store.zarr.paths import DOCUMENT, shard_paths
from dfsynth.store.zarr.reader import ZarrArrays
from dfsynth.store.zarr.writer import ZarrShardWriter


def open_group(layout: StoreLayout) -> PlainGroup:
    """The store, read-only, as zarr-python opens it.

    Raises:
        FileNotFoundError: there is no group.
    """
    import zarr  # noqa: PLC0415 - takes a third of a second, and no job needs it

    return zarr.open_group(str(layout.objects or layout.root), mode="r")


def has_group(layout: StoreLayout) -> bool:
    """Whether the folder holds a document of the group's name."""
    return is_there(layout.root / DOCUMENT)


def check_shard(layout: StoreLayout, specs: Sequence[ArraySpec], shard: int) -> None:
    """Nothing: an object is chunks and their index, and reading its rows checks both."""


ZARR: Final = StoreFormat(
    name="zarr",
    suffixes=frozenset({".zarr"}),
    documents=frozenset({DOCUMENT}),
    compression=COMPRESSION,
    refuses_missing=False,
    has_group=has_group,
    write_group=write_group,
    read_group=read_group,
    encode_row=partial(encode_maps, encode_chunk=encode_chunk),
    shard_writer=ZarrShardWriter,
    array_reader=ZarrArrays,
    shard_files=shard_paths,
    check_shard=check_shard,
    open_group=open_group,
    find_changed_documents=find_changed_documents,
)
