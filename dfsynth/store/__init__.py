"""Arrays on disk: layout, locks, durable files, shard writers, and reading back.

A shard's map files are put in place by `ShardWriter.commit`; the manifest part that commits it
is written afterwards by the caller, through `replacing`.
"""

from dfsynth.store.arrays import ArraySpec, StoredMap, StoredType
from dfsynth.store.durable import (
    make_folder,
    remove_durably,
    replacing,
    sweep,
    sync_folder,
    write_durably,
)
from dfsynth.store.layout import StoreLayout
from dfsynth.store.locks import RunLock
from dfsynth.store.removal import RootState, clear_store, examine_root, remove_shard
from dfsynth.store.rows import row_checksum
from dfsynth.store.writer import EncodedRow, ShardWriter
from dfsynth.store.zarr_metadata import Json, read_group, write_group
from dfsynth.store.zarr_reader import ZarrArrays
from dfsynth.store.zarr_writer import ZarrShardWriter, encode_row

__all__ = [
    "ArraySpec",
    "EncodedRow",
    "Json",
    "RootState",
    "RunLock",
    "ShardWriter",
    "StoreLayout",
    "StoredMap",
    "StoredType",
    "ZarrArrays",
    "ZarrShardWriter",
    "clear_store",
    "encode_row",
    "examine_root",
    "make_folder",
    "read_group",
    "remove_durably",
    "remove_shard",
    "replacing",
    "row_checksum",
    "sweep",
    "sync_folder",
    "write_durably",
    "write_group",
]
