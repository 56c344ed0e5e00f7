"""Parquet: the manifest's columns, and a column of values for each map.

A map is a list of rows, which are lists of float32, of fixed sizes in the store's grid: polars and
Hugging Face `datasets` then give arrays (y, x), and DuckDB `FLOAT[][]`, without any decoder. PNG in
a column of {bytes, path} would show a picture on the Hub, but not the values.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dfsynth.exports.export import SOFTWARE, Export, ExportImage
from dfsynth.exports.folder_format import FilesOfMany, Portion
from dfsynth.exports.maps import MapFacts

_MARK: Final = b"dfsynth.mark"
_MOST_BYTES: Final = 256 * 2**20
_ROW_GROUP_BYTES: Final = 16 * 2**20
"""Of values: what a reader of one image has to read, about."""


def write_parquet(
    export: Export, portion: Portion, images: Iterator[ExportImage], stream: BinaryIO
) -> None:
    """Writes one Parquet file.

    Raises:
        OSError: the system refuses.
    """
    schema = _schema(export, portion)
    leaves = [f"{_name(export, facts)}.list.element.list.element" for facts in export.maps]
    # The stubs know no list of columns here.
    options: dict[str, Any] = {"use_dictionary": export.record.manifest_schema.dictionaries}
    with pq.ParquetWriter(
        stream,
        schema,
        compression="zstd",
        # Bytes of equal weight lie together, which packs floats of few bits half as small again.
        use_byte_stream_split=[
            leaf for leaf, facts in zip(leaves, export.maps, strict=True) if facts.scale
        ],
        write_page_checksum=True,
        **options,
    ) as writer:
        for group in _groups(images):
            writer.write_table(_table(export, group, schema))


def read_mark(path: Path) -> str | None:
    """The `Portion.mark` of a Parquet file; None where it cannot be read or has none."""
    try:
        found = pq.read_metadata(path).metadata or {}
    except pa.ArrowException:
        return None
    mark = found.get(_MARK)
    return None if mark is None else mark.decode()


def _groups(images: Iterator[ExportImage]) -> Iterator[list[ExportImage]]:
    """Images in order, in lists of about the size of a row group."""
    group: list[ExportImage] = []
    for image in images:
        group.append(image)
        if sum(map(_size, group)) >= _ROW_GROUP_BYTES:
            yield group
            group = []
    if group:
        yield group


def _size(image: ExportImage) -> int:
    return sum(values.nbytes for values in image.maps.values())


def _schema(export: Export, portion: Portion) -> pa.Schema:
    """The manifest's columns, then the maps, each with its unit and what it shows."""
    manifest = export.record.manifest_schema.arrow
    fields = [*manifest, *(_field(export, facts) for facts in export.maps)]
    said: dict[bytes | str, bytes | str] = {
        b"dfsynth.notice": export.notice.encode(),
        b"dfsynth.software": SOFTWARE.encode(),
        b"dfsynth.store": export.store_hash.encode(),
        b"dfsynth.space": export.space.encode(),
        _MARK: portion.mark.encode(),
    }
    return pa.schema(fields, {**export.record.manifest_schema.metadata, **said})


def _name(export: Export, facts: MapFacts) -> str:
    """The name of a map's column: the map's, or another where the manifest has one of that name."""
    taken = export.record.manifest_schema.arrow.names
    return f"{facts.name}_map" if facts.name in taken else facts.name


def _field(export: Export, facts: MapFacts) -> "pa.Field[Any]":
    said = {"description": facts.long_name, "unit": facts.unit, "notice": export.notice}
    value = pa.float32() if facts.scale else pa.uint8()
    spec = export.record.arrays[0]
    # Sources differ in size.
    height, width = (-1, -1) if export.space == "source" else (spec.height, spec.width)
    return pa.field(_name(export, facts), pa.list_(pa.list_(value, width), height), False, said)


def _table(export: Export, group: list[ExportImage], schema: pa.Schema) -> pa.Table:
    manifest = export.record.manifest_schema.arrow
    facts = pa.Table.from_pylist([dict(image.facts) for image in group], schema=manifest)
    maps = [
        _column([image.maps[each.name] for image in group], schema.field(_name(export, each)).type)
        for each in export.maps
    ]
    return pa.Table.from_arrays([*facts.columns, *maps], schema=schema)


def _column(maps: list[NDArray[Any]], kind: Any) -> Any:
    """Maps (y, x) as lists of rows."""
    values: Any = pa.array(np.concatenate([values.ravel() for values in maps]))
    heights = [values.shape[0] for values in maps]
    widths = np.repeat([values.shape[1] for values in maps], heights)
    if pa.types.is_fixed_size_list(kind):
        fixed: Any = pa.FixedSizeListArray
        return fixed.from_arrays(fixed.from_arrays(values, type=kind.value_type), type=kind)
    lists: Any = pa.ListArray
    rows = lists.from_arrays(_offsets(widths), values, type=kind.value_type)
    return lists.from_arrays(_offsets(heights), rows, type=kind)


def _offsets(lengths: Any) -> Any:
    return pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())


PARQUET: Final = FilesOfMany(
    name="parquet",
    suffix=".parquet",
    write_images=write_parquet,
    read_mark=read_mark,
    most_bytes=_MOST_BYTES,
)
"""256 MiB of values a file, about a third of that packed, in row groups of 16 MiB."""
