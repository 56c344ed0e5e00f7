"""How the arrays of each format are read by other programs, and which files they are."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from dfsynth.description.facts import StoreFacts
from dfsynth.store import ArraySpec


@dataclass(frozen=True, slots=True)
class ArrayFiles:
    """The files of one array, or of all where a file holds them all."""

    identifier: str
    includes: str
    """A pattern, relative to the folder of the card."""
    media_type: str
    description: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a format has to say of itself in a card."""

    store: Callable[[StoreFacts], str]
    """The path of the store from the folder of its card."""
    snippets: Callable[[StoreFacts], tuple[tuple[str, str], ...]]
    """(library, Python code) that reads an image; run in the folder of the card."""
    files: Callable[[StoreFacts], tuple[ArrayFiles, ...]]


def _zarr_snippets(facts: StoreFacts) -> tuple[tuple[str, str], ...]:
    first = facts.arrays[0].name
    return (
        (
            "zarr",
            f'import zarr\n\ngroup = zarr.open_group(".", mode="r")\nimage = group["{first}"][0]',
        ),
        (
            "xarray",
            f'import xarray\n\nmaps = xarray.open_zarr(".")\nimage = maps["{first}"][0].to_numpy()',
        ),
    )


def _zarr_files(facts: StoreFacts) -> tuple[ArrayFiles, ...]:
    return tuple(
        ArrayFiles(
            f"{spec.name}-shards",
            f"{spec.name}/c.*",
            "application/vnd.zarr; version=3",
            f"{describe_array(spec)} Shards of a Zarr array, described by {spec.name}/zarr.json.",
        )
        for spec in facts.arrays
    )


def _hdf5_store(facts: StoreFacts) -> str:
    # Inside it, parts are named by the name of the store: it is never called anything else.
    return f"../{facts.file_name}"


def _hdf5_snippets(facts: StoreFacts) -> tuple[tuple[str, str], ...]:
    first, store = facts.arrays[0].name, _quoted(_hdf5_store(facts))
    return (
        (
            "h5py",
            f'import h5py\n\nwith h5py.File({store}) as file:\n    image = file["{first}"][0]',
        ),
        (
            "xarray",
            f'import xarray\n\nwith xarray.open_dataset({store}, engine="h5netcdf") as maps:\n'
            f'    image = maps["{first}"][0].to_numpy()',
        ),
    )


def _hdf5_files(facts: StoreFacts) -> tuple[ArrayFiles, ...]:
    described = " ".join(map(describe_array, facts.arrays))
    return (
        ArrayFiles(
            "array-parts",
            "part-*.h5",
            "application/x-hdf5",
            f"{described} One part for each run shard; the file beside this folder joins them.",
        ),
    )


def _quoted(text: str) -> str:
    """A text as Python's source holds it; JSON's spelling is also Python's."""
    return json.dumps(text)


READING: Final[Mapping[str, Reading]] = {
    "zarr": Reading(lambda _: ".", _zarr_snippets, _zarr_files),
    "hdf5": Reading(_hdf5_store, _hdf5_snippets, _hdf5_files),
}
"""Every format of stores, by name."""


def describe_array(spec: ArraySpec) -> str:
    """An array in a sentence: what it shows, its type, extent and unit."""
    shape = f"({spec.rows}, {spec.height}, {spec.width})"
    name = f": {spec.long_name}" if spec.long_name else ""
    unit = f", unit {spec.units}" if spec.units else ""
    return f"{spec.name}{name}; {spec.dtype} (image, y, x) = {shape}{unit}."


def snippets(facts: StoreFacts) -> tuple[tuple[str, str], ...]:
    """(library, Python code) for everything that a store can be read by."""
    reading = READING[facts.format]
    opened = f"import dfsynth\n\nstore = dfsynth.open_store({_quoted(reading.store(facts))})"
    return (
        *reading.snippets(facts),
        ("dfsynth", f'{opened}\nimage = store.read("{facts.arrays[0].name}", 0)'),
        (
            "DuckDB",
            "import duckdb\n\n"
            "with duckdb.connect() as connection:\n"
            '    rows = connection.read_parquet("manifest/*.parquet")\n'
            '    counts = rows.aggregate("status, count(*)").fetchall()',
        ),
    )
