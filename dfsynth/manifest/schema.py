"""What a manifest's columns are called, hold and mean: the form of a schema, and that of images.

Scores declare their own columns, in `dfsynth.score`.

A change of meaning, name or type, and a new column, need a new version. The same facts as JSON, for
readers without Arrow, are `manifests/schema-v3.json`; `python -m dfsynth.manifest.export` prints
them. A store keeps the version that it was planned with (`IMAGE_SCHEMAS`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa

from dfsynth.errors import StoreError
from dfsynth.files.json_record import encode_json
from dfsynth.records import Column
from dfsynth.score import SCORE_COLUMNS
from dfsynth.score.scorer import SIGNAL

SCHEMA_VERSION: Final = 3
"""Of the manifests of new stores of images."""
VERSION_KEY: Final = b"dfsynth.schema_version"
"""Where a Parquet file's schema metadata holds the version."""
KIND_KEY: Final = b"dfsynth.manifest"
"""Where it holds what the rows are; absent for images."""

IMAGES_KIND: Final = "images"

_WITHOUT_LUNG: Final = {score.name: score.without_lung for score in SCORE_COLUMNS}

_ARROW_TYPES: Final = {
    "string": pa.string(),
    "bool": pa.bool_(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float32": pa.float32(),
    # The element's name is Parquet's own: what is read back then equals what was written.
    "list<string>": pa.list_(pa.field("element", pa.string())),
}


@dataclass(frozen=True, slots=True)
class ManifestSchema:
    """The columns of one kind of manifest, and the version of their meaning."""

    kind: str
    """`images`, or `pairs`, with the name of the task behind it for all but the default one."""
    version: int
    columns: tuple[Column, ...]
    """Each a field of the row's record, or an entry of its `scores` or `parameters`."""

    @property
    def is_of_pairs(self) -> bool:
        """Whether the rows are paired data; else they are images."""
        return self.kind != IMAGES_KIND

    def of_output(self, noun: str, unit: str) -> "ManifestSchema":
        """The same where what is scored is no line integral but a `noun` with values in `unit`."""
        columns = tuple(_of_output(column, noun, unit) for column in self.columns)
        return replace(self, columns=columns)

    @property
    def metadata(self) -> dict[bytes | str, bytes | str]:
        """What the schema metadata of a Parquet file says of the kind and the version."""
        found: dict[bytes | str, bytes | str] = {VERSION_KEY: str(self.version).encode()}
        if self.kind != IMAGES_KIND:
            found[KIND_KEY] = self.kind.encode()
        return found

    @property
    def arrow(self) -> pa.Schema:
        """The Arrow schema, with descriptions and units."""
        return pa.schema([_arrow_field(column) for column in self.columns], self.metadata)

    @property
    def dictionaries(self) -> list[str]:
        """The columns, by their path in Parquet, that parts write with a dictionary.

        All lists: fastparquet reads those without one as null, and says nothing. Parts of images
        in version 1 have none, and are finished as they were begun.
        """
        if self.kind == IMAGES_KIND and self.version == 1:
            return []
        lists = (column.name for column in self.columns if column.type == "list<string>")
        return [f"{name}.list.element" for name in lists]

    @property
    def checksummed(self) -> bool:
        """Whether parts hold checksums of their pages and of themselves.

        Parts of images in version 1 have none, and are finished as they were begun.
        """
        return self.kind != IMAGES_KIND or self.version > 1

    def to_json(self) -> str:
        """The schema as indented JSON that ends with a line break."""
        columns = [
            {
                "name": column.name,
                "type": column.type,
                "nullable": column.nullable,
                "unit": column.unit,
                "description": column.description,
            }
            for column in self.columns
        ]
        kind = {} if self.kind == IMAGES_KIND else {"manifest": self.kind}
        return encode_json({"schema_version": self.version, **kind, "columns": columns}).decode()


def require_names(found: Collection[str], expected: Collection[str], what: str) -> None:
    """Requires that values are named as their columns are, each once.

    Args:
        found: The names of the values.
        expected: The names of the columns.
        what: What messages call the values, for example "scores of an image".

    Raises:
        StoreError: A name is unknown or missing.
    """
    unknown = sorted(set(found) - set(expected))
    missing = sorted(set(expected) - set(found))
    if unknown or missing:
        raise StoreError(
            f"the {what} do not fit the manifest: unknown {unknown}, missing {missing}; "
            f"expected {', '.join(expected)}"
        )


def _of_output(column: Column, noun: str, unit: str) -> Column:
    """Names stay, as readers know them; what they mean is said of the output at hand."""
    if column.unit != SIGNAL:
        return column
    said = column.description.replace("dark-field signal", f"value of the {noun}")
    if beyond := _WITHOUT_LUNG.get(column.name):
        said += f"; {beyond}"
    return replace(column, unit=unit, description=said)


def _arrow_field(column: Column) -> "pa.Field[Any]":
    """The column as Arrow knows it, description and unit in the field's metadata."""
    metadata = {"description": column.description}
    if column.unit is not None:
        metadata["unit"] = column.unit
    return pa.field(column.name, _ARROW_TYPES[column.type], column.nullable, metadata)


_BEFORE_SCORES: Final = (
    Column("image_id", "string", "Unique, stable name of the image", nullable=False),
    Column("row", "int64", "Index of the image in every array of the store", nullable=False),
    Column("shard", "int32", "The run shard that holds the row", nullable=False),
    Column("status", "string", "ok or failed", nullable=False),
    Column("error_code", "string", "Why the image failed, in one word; null where it is ok"),
    Column("error", "string", "Why the image failed, in one sentence; null where it is ok"),
    Column("source", "string", "Name of the corpus or source of the image", nullable=False),
    Column("uri", "string", "Path of the image relative to the source's root", nullable=False),
    Column("source_sha256", "string", "SHA-256 of the source's bytes, in hexadecimal"),
    Column("patient_id", "string", "Patient key that the corpus publishes; never from DICOM"),
    Column("view", "string", "Projection, for example PA, AP or LATERAL"),
    Column("sex", "string", "Sex as the corpus gives it"),
    Column("age", "float32", "Age at the examination", "years"),
    Column("findings", "list<string>", "Findings that the corpus says it has; null: says nothing"),
    Column(
        "findings_negative",
        "list<string>",
        "Findings that the corpus says it has not; null where the corpus knows no such state",
        since=3,
    ),
    Column(
        "findings_uncertain",
        "list<string>",
        "Findings of which the corpus is not certain; null where it knows no such state",
        since=3,
    ),
    Column("split", "string", "The corpus's own split, for example train or test"),
    Column("width", "int32", "Columns of the decoded source", "pixels"),
    Column("height", "int32", "Rows of the decoded source", "pixels"),
    Column("bits", "int16", "Bits stored per sample in the source", "bits"),
    Column("photometric", "string", "Photometric interpretation as the source states it"),
    Column("pixel_mm", "float32", "Pitch of the source's pixels; null where unknown", "mm"),
    Column("scale_y", "float32", "grid y = source y × scale_y + offset_y, at pixel edges"),
    Column("scale_x", "float32", "grid x = source x × scale_x + offset_x, at pixel edges"),
    Column("offset_y", "float32", "Rows of padding above the image in the grid", "grid pixels"),
    Column("offset_x", "float32", "Columns of padding left of the image", "grid pixels"),
)
_AFTER_SCORES: Final = (
    Column("flags", "list<string>", "Remarks, for example no_lung or clipped", nullable=False),
    Column("checksum", "string", "BLAKE2b-128 of the row's stored values, in hexadecimal"),
    Column("seconds", "float32", "Compute time of the image", "s"),
)


def _columns(version: int) -> tuple[Column, ...]:
    """The columns of images in a version of the schema."""
    scores = (
        Column(score.name, "float32", score.description, score.unit, since=score.since)
        for score in SCORE_COLUMNS
    )
    every = (*_BEFORE_SCORES, *scores, *_AFTER_SCORES)
    return tuple(column for column in every if column.since <= version)


IMAGE_SCHEMAS: Final[Mapping[int, ManifestSchema]] = {
    version: ManifestSchema(IMAGES_KIND, version, _columns(version))
    for version in range(1, SCHEMA_VERSION + 1)
}
"""Every version of the schema of images, oldest first."""
IMAGES: Final = IMAGE_SCHEMAS[SCHEMA_VERSION]
"""That of new stores; each earlier one lacks some of its columns, and has no others."""
COLUMNS: Final = IMAGES.columns
