"""Arrays on disk: layout, the formats they are kept in, and taking them away again.

A shard's array files are put in place by `ShardWriter.commit`; the manifest part that commits it
is written afterwards by the caller, through `dfsynth.files.durable`.
"""

from dfsynth.files.json_record import Json
from dfsynth.store.arrays import ArraySpec, StoredMap, StoredType
from dfsynth.store.format import ArrayReader, EncodedRow, ShardWriter, StoreFormat
from dfsynth.store.layout import StoreLayout
from dfsynth.store.missing import missing_files
from dfsynth.store.registry import FORMATS, format_of
from dfsynth.store.removal import RootState, clear_store, examine_root, remove_shard
from dfsynth.store.rows import cast_map, row_checksum

__all__ = [
    "FORMATS",
    "ArrayReader",
    "ArraySpec",
    "EncodedRow",
    "Json",
    "RootState",
    "ShardWriter",
    "StoreFormat",
    "StoreLayout",
    "StoredMap",
    "StoredType",
    "cast_map",
    "clear_store",
    "examine_root",
    "format_of",
    "missing_files",
    "remove_shard",
    "row_checksum",
]
