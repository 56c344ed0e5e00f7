"""What the records of all stores have alike: how they are written, versions, differences."""

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from typing import TYPE_CHECKING

from dfsynth.files.json_record import Json, encode_json, stored_entries, with_checksum
from dfsynth.store.arrays import ArraySpec, StoredType
from dfsynth.version import __version__

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def encode_record(record: "DataclassInstance", **first: Json) -> bytes:
    """The content of `build.json`: the entries `first`, the fields of the record, a checksum.

    Raises:
        ValueError: A number is NaN or infinite, which JSON does not know.
        TypeError: A value is of a type that JSON does not know.
    """
    return encode_json(with_checksum({**first, **stored_entries(record)}))


def array_specs(
    arrays: Iterable[tuple[str, StoredType]], rows: int, size: tuple[int, int], shard_size: int
) -> tuple[ArraySpec, ...]:
    """The arrays (image, y, x) of a store, which differ in name and stored type alone.

    Args:
        arrays: Name and stored type of each.
        rows: Images in every array.
        size: (height, width) in pixels.
        shard_size: Images in one shard.

    Raises:
        StoreError: A name, a type or an extent is none that an array can have.
    """
    height, width = size
    return tuple(ArraySpec(name, dtype, rows, height, width, shard_size) for name, dtype in arrays)


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
