"""What the records of all stores have alike: arrays, attributes, versions, differences."""

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Final

from dfsynth.files.json_record import Json, encode_json, stored_entries, with_checksum
from dfsynth.store.arrays import KEEPABLE_BITS, ArraySpec, StoredType
from dfsynth.version import __version__

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


LAYOUT_VERSION: Final = 2
"""Of the documents of new stores; 1 is that of version 0.1, which described no array and had
objects among the attributes. A store keeps the one that it was planned with."""


@dataclass(frozen=True, slots=True)
class StoredArray:
    """What one array of a store holds, whatever its extent."""

    name: str
    dtype: StoredType
    units: str
    """Of the values, spelt as UDUNITS does."""
    long_name: str
    """What the values are, in a few words."""
    keepbits: int | None = None
    """Mantissa bits that are kept; None for all that the type has."""


def encode_record(record: "DataclassInstance", **first: Json) -> bytes:
    """The content of `build.json`: the entries `first`, the fields of the record, a checksum.

    Raises:
        ValueError: A number is NaN or infinite, which JSON does not know.
        TypeError: A value is of a type that JSON does not know.
    """
    return encode_json(with_checksum({**first, **stored_entries(record)}))


def array_specs(
    arrays: Iterable[StoredArray],
    layout_version: int,
    rows: int,
    size: tuple[int, int],
    shard_size: int,
) -> tuple[ArraySpec, ...]:
    """The arrays (image, y, x) of a store, which all have one extent.

    Args:
        arrays: What each holds.
        layout_version: Of the store's documents.
        rows: Images in every array.
        size: (height, width) in pixels.
        shard_size: Images in one shard.

    Raises:
        StoreError: A name, a type or an extent is none that an array can have.
    """
    extent = (rows, *size, shard_size)
    if layout_version == 1:
        return tuple(ArraySpec(array.name, array.dtype, *extent) for array in arrays)
    return tuple(
        ArraySpec(
            *(array.name, array.dtype, *extent),
            keepbits=array.keepbits or max(KEEPABLE_BITS[array.dtype], default=None),
            units=array.units,
            long_name=array.long_name,
        )
        for array in arrays
    )


def group_attributes(provenance: Mapping[str, Json], layout_version: int) -> dict[str, Json]:
    """The attributes of a store's group.

    Text, numbers and lists of numbers are kept; all else is JSON as text, since netCDF, and so
    `Dataset.to_netcdf`, knows nothing else.
    """
    if layout_version == 1:
        return dict(provenance)
    return {
        name: value if _is_plain(value) else json.dumps(value, ensure_ascii=False)
        for name, value in provenance.items()
    }


def _is_plain(value: Json) -> bool:
    """Whether netCDF knows an attribute of this value."""
    numbers = value if isinstance(value, list) and value else [value]
    return isinstance(value, str) or all(type(number) in (int, float) for number in numbers)


def software_versions(libraries: Sequence[str]) -> dict[str, str]:
    """Of dfsynth, Python and the libraries that decide values; a missing one is left out."""
    versions = {"dfsynth": __version__, "python": platform.python_version()}
    for name in libraries:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def name_differences(held: Mapping[str, object], asked: Mapping[str, object]) -> list[str]:
    """One sentence part for each entry that differs; one that a side lacks is null there."""
    return [
        f"{name}: the store has {_brief(held.get(name))}, asked for {_brief(asked.get(name))}"
        for name in dict.fromkeys([*held, *asked])
        if held.get(name) != asked.get(name)
    ]


def _brief(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:16] + "…" + text[-4:]
