"""The `zarr.json` documents of a store: written, and read back to array specifications.

Spelt out here rather than left to a library: the reader and the writer of the shard objects know
these codecs and no others, and the documents stay equal whatever library version is installed.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from dfsynth.errors import StoreError
from dfsynth.files.durable import make_folder, write_durably
from dfsynth.files.faults import store_faults
from dfsynth.files.json_record import Json, encode_json, parse_object
from dfsynth.store.arrays import DIMENSIONS, STORED_TYPES, ArraySpec, common_cut
from dfsynth.store.layout import GROUP_OWNER, StoreLayout
from dfsynth.store.zarr.chunk import LEVEL
from dfsynth.store.zarr.paths import array_path, group_path

_CRC32C: Final[Json] = {"name": "crc32c"}


def array_document(spec: ArraySpec) -> dict[str, Json]:
    """The Zarr v3 metadata of one array (image, y, x), as the content of its `zarr.json`."""
    sharding: Json = {
        "chunk_shape": [1, spec.height, spec.width],
        "codecs": [_bytes_codec(spec.stored_dtype.itemsize), _blosc_codec(spec), _CRC32C],
        "index_codecs": [_bytes_codec(8), _CRC32C],
        "index_location": "end",
    }
    shard_shape = [spec.shard_size, spec.height, spec.width]
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [spec.rows, spec.height, spec.width],
        "data_type": spec.dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": shard_shape}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}},
        "fill_value": 0 if spec.dtype == "uint8" else "NaN",
        "codecs": [{"name": "sharding_indexed", "configuration": sharding}],
        "dimension_names": list(DIMENSIONS),
        "attributes": spec.attributes,
        "storage_transformers": [],
    }


def group_document(specs: Sequence[ArraySpec], attributes: Mapping[str, Json]) -> dict[str, Json]:
    """The Zarr v3 metadata of the group, with that of its arrays inside (consolidated)."""
    return {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": attributes,
        "consolidated_metadata": {
            "kind": "inline",
            "must_understand": False,
            "metadata": {spec.name: array_document(spec) for spec in specs},
        },
    }


def write_group(
    layout: StoreLayout, specs: Sequence[ArraySpec], attributes: Mapping[str, Json]
) -> None:
    """Makes the Zarr group, or replaces its documents (more rows, other attributes).

    The group's own document is written last and whole, so that a reader sees the old arrays or
    the new ones. Shard objects are untouched.

    Raises:
        StoreError: the arrays do not fit together, or a file cannot be written.
        ValueError: an attribute is NaN or infinite, which JSON does not know.
        TypeError: an attribute is of a type that JSON does not know.
    """
    common_cut(specs)
    group = encode_json(group_document(specs, attributes))
    layout.make_folders()
    for spec in specs:
        path = array_path(layout, spec.name)
        make_folder(path.parent)
        write_durably(path, encode_json(array_document(spec)), layout.scratch, GROUP_OWNER)
    write_durably(group_path(layout), group, layout.scratch, GROUP_OWNER)


def read_group(layout: StoreLayout) -> tuple[tuple[ArraySpec, ...], dict[str, Json]]:
    """The arrays (image, y, x), in the order in which they were made, and the attributes.

    Raises:
        StoreError: there is no group, or it is not laid out as this version writes it.
    """
    path = group_path(layout)
    with store_faults(f"read {path}"):
        raw = path.read_bytes()
    try:
        document = parse_object(raw)
        attributes = document["attributes"]
        arrays = document["consolidated_metadata"]["metadata"]
        specs = tuple(_read_spec(name, arrays[name]) for name in arrays)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{path} does not describe arrays as dfsynth writes them: it is damaged or comes from "
            "another program; restore it, or build the store again"
        ) from error
    return specs, attributes


def find_changed_documents(
    layout: StoreLayout, specs: Sequence[ArraySpec], attributes: Mapping[str, Json]
) -> Iterator[str]:
    """See `StoreFormat`: other programs read the document of each array, and all of the group's."""
    documents = {array_path(layout, spec.name): array_document(spec) for spec in specs}
    documents[group_path(layout)] = group_document(specs, attributes)
    for path, document in documents.items():
        try:
            with store_faults(f"read {path}"):
                raw = path.read_bytes()
        except StoreError as error:
            yield str(error)
            continue
        try:
            intact = parse_object(raw) == parse_object(encode_json(document))
        except ValueError:
            intact = False
        if not intact:
            yield f"{path} is not what the build record says"


def _read_spec(name: str, document: Mapping[str, Json]) -> ArraySpec:
    """The specification whose document this is.

    Raises:
        ValueError, LookupError, TypeError: it is that of no specification.
    """
    found = json.loads(json.dumps(document))
    rows, height, width = found["shape"]
    shard_size = found["chunk_grid"]["configuration"]["chunk_shape"][0]
    dtype = STORED_TYPES[STORED_TYPES.index(found["data_type"])]
    described = found["attributes"]
    spec = ArraySpec(name, dtype, rows, height, width, shard_size, **described)
    if array_document(spec) != found:
        raise ValueError(f"array {name!r} is stored with other codecs")
    return spec


def _bytes_codec(itemsize: int) -> Json:
    # A type of one byte has no byte order, and Zarr writes none.
    if itemsize == 1:
        return {"name": "bytes"}
    return {"name": "bytes", "configuration": {"endian": "little"}}


def _blosc_codec(spec: ArraySpec) -> Json:
    configuration: Json = {
        "typesize": spec.stored_dtype.itemsize,
        "cname": "zstd",
        "clevel": LEVEL,
        "shuffle": "bitshuffle",
        "blocksize": 0,
    }
    return {"name": "blosc", "configuration": configuration}
