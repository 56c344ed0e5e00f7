"""`x.h5`: virtual datasets over the parts, and what is sealed behind them.

A virtual dataset reads a part that is not there as the fill value, NaN, and says nothing; so
uncommitted rows read as NaN, and `dfsynth verify` and `dfsynth.open_store` name lost parts.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from dfsynth.errors import StoreError
from dfsynth.files.faults import is_there, store_faults
from dfsynth.files.json_record import Json, encode_json, parse_object
from dfsynth.files.ranges import opened, read_range
from dfsynth.store.arrays import DIMENSIONS, ArraySpec, common_cut
from dfsynth.store.checksum import DamagedBytesError, crc32c
from dfsynth.store.hdf5.attributes import write_attributes
from dfsynth.store.hdf5.file import Hdf5File
from dfsynth.store.hdf5.part_index import read_index
from dfsynth.store.hdf5.paths import dataset_name, part_path
from dfsynth.store.hdf5.seal import read_seal
from dfsynth.store.layout import GROUP_OWNER, StoreLayout

if TYPE_CHECKING:
    import h5py

_KEY_BYTES: Final = 8
_NO_VARIABLE: Final = "This is a netCDF dimension but not a netCDF variable.%10d"
"""What netCDF-4 calls a dimension without coordinates; the number is its length."""


@dataclass(frozen=True, slots=True)
class _Message:
    """What is sealed behind the file."""

    key: str
    parts: str
    """The name of the folder of parts."""
    specs: tuple[ArraySpec, ...]
    attributes: dict[str, Json]


def write_group(
    layout: StoreLayout, specs: Sequence[ArraySpec], attributes: Mapping[str, Json]
) -> None:
    """Makes `x.h5`, or replaces it whole (more rows, other attributes); parts are untouched.

    Raises:
        StoreError: the arrays do not fit together, or a file cannot be written.
        ValueError: an attribute is NaN or infinite, which JSON does not know.
        TypeError: an attribute is of a type that JSON does not know.
    """
    common_cut(specs)
    encode_json(attributes)
    layout.make_folders()
    key = read_key(layout) or _key_of_parts(layout) or secrets.token_hex(_KEY_BYTES)
    file = Hdf5File(layout.root, layout.scratch, GROUP_OWNER)
    try:
        with file.calling() as content:
            _write_arrays(content, layout, specs, key)
            write_attributes(content, attributes)
        stream = file.close()
        with store_faults(f"read back {layout.root}"):
            stream.seek(0)
            written = stream.read()
        document: dict[str, Json] = {
            "key": key,
            "parts": layout.folder.name,
            "arrays": [asdict(spec) for spec in specs],
            "attributes": attributes,
            "crc32c": crc32c(written),
        }
        file.seal(encode_json(document))
        file.publish()
    finally:
        file.discard()


def read_group(layout: StoreLayout) -> tuple[tuple[ArraySpec, ...], dict[str, Json]]:
    """The arrays (image, y, x), in the order in which they were made, and the attributes.

    Raises:
        StoreError: there is no `x.h5`, it is not as it was written, or looks for other parts.
    """
    try:
        found = _read_message(layout)
    except DamagedBytesError as error:
        raise StoreError(
            f"{layout.root} {error}: it is damaged or comes from another program; run dfsynth "
            "verify with --repair, or restore it"
        ) from error
    if found.parts != layout.folder.name:
        raise StoreError(
            f"{layout.root} looks for its images in {found.parts}, and they lie in "
            f"{layout.folder.name}: the store was renamed; run dfsynth verify with --repair"
        )
    return found.specs, found.attributes


def read_key(layout: StoreLayout) -> str | None:
    """What the datasets of this store's parts are named with; None without an intact `x.h5`.

    Raises:
        StoreError: it is there and cannot be read.
    """
    if not is_there(layout.root):
        return None
    try:
        return _read_message(layout).key
    except DamagedBytesError:
        return None


def _key_of_parts(layout: StoreLayout) -> str | None:
    """The key that the first intact part has; None where there is none."""
    for shard in sorted(layout.committed_shards()):
        path = part_path(layout, shard)
        if not is_there(path):
            continue
        with opened(path, "its index") as descriptor:
            try:
                return read_index(descriptor)[0].key
            except DamagedBytesError:
                continue
    return None


def _read_message(layout: StoreLayout) -> _Message:
    """What is sealed behind `x.h5`, once the file is known to be what was written.

    Raises:
        DamagedBytesError: it is not.
        StoreError: it cannot be read.
    """
    with opened(layout.root, "the arrays of the store") as descriptor:
        message, body_bytes = read_seal(descriptor)
        body = read_range(descriptor, body_bytes, 0)
    try:
        found = parse_object(message)
        specs = tuple(ArraySpec(**array) for array in found["arrays"])
        expected = found["crc32c"]
        sealed = _Message(found["key"], found["parts"], specs, found["attributes"])
    except (ValueError, LookupError, TypeError) as error:
        raise DamagedBytesError("does not describe arrays as dfsynth writes them") from error
    if crc32c(body) != expected:
        raise DamagedBytesError("has a structure that is not what was written")
    return sealed


def _write_arrays(
    file: "h5py.File", layout: StoreLayout, specs: Sequence[ArraySpec], key: str
) -> None:
    scales = _make_dimensions(file, specs[0])
    for spec in specs:
        dataset = file.create_virtual_dataset(
            spec.name, _cover(layout, spec, key), fillvalue=spec.empty_map()[0, 0]
        )
        write_attributes(dataset, spec.attributes)
        for axis, scale in zip(dataset.dims, scales, strict=True):
            axis.attach_scale(scale)


def _make_dimensions(file: "h5py.File", spec: ArraySpec) -> list[Any]:
    """The dimensions as netCDF-4 writes them, so that xarray finds their names."""
    scales = []
    for name, length in zip(DIMENSIONS, (spec.rows, spec.height, spec.width), strict=True):
        scale = file.create_dataset(name, shape=(length,), dtype=">f4")
        scale.make_scale(_NO_VARIABLE % length)
        scales.append(scale)
    return scales


def _cover(layout: StoreLayout, spec: ArraySpec, key: str) -> Any:
    """The rows of an array, shard by shard, as the first rows of a dataset of each part."""
    import h5py  # noqa: PLC0415 - only stores in this format need it

    shape = (spec.shard_size, spec.height, spec.width)
    cover = h5py.VirtualLayout((spec.rows, spec.height, spec.width), spec.stored_dtype)
    for shard in range(spec.shards):
        path = part_path(layout, shard)
        # Relative to x.h5; HDF5 takes a % in it for the start of a block number.
        relative = f"{path.parent.name}/{path.name}".replace("%", "%%")
        source = h5py.VirtualSource(relative, dataset_name(spec.name, key), shape)
        first, rows = shard * spec.shard_size, spec.rows_of(shard)
        cover[first : first + rows] = source[:rows]
    return cover
