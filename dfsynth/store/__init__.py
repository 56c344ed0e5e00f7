"""Arrays on disk: layout, shard writers, and reading back.

A shard's map files are put in place by `ShardWriter.commit`; the manifest part that commits it
is written afterwards by the caller, through `dfsynth.files.durable.replacing`.
"""

from dfsynth.store.arrays import ArraySpec, StoredMap, StoredType
from dfsynth.store.layout import StoreLayout
from dfsynth.store.removal import RootState, clear_store, examine_root, remove_shard
from dfsynth.store.rows import row_checksum
from dfsynth.store.writer import EncodedRow, ShardWriter
from dfsynth.store.zarr.metadata import Json, read_group, write_group
from dfsynth.store.zarr.reader import ZarrArrays
from dfsynth.store.zarr.writer import ZarrShardWriter, encode_row

__all__ = [
    "ArraySpec",
    "EncodedRow",
    "Json",
    "RootState",
    "ShardWriter",
    "StoreLayout",
    "StoredMap",
    "StoredType",
    "ZarrArrays",
    "ZarrShardWriter",
    "clear_store",
    "encode_row",
    "examine_root",
    "read_group",
    "remove_shard",
    "row_checksum",
    "write_group",
]
