"""The manifest of paired data: columns that all tasks have, and the parameters that each draws.

A parameter is a `[[parameter]]` of a task's file. The same facts as JSON are
`manifests/schema-pairs-v1.json`, and `schema-pairs-TASK-v1.json` of the other tasks.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Final

from dfsynth.manifest.schema import ManifestSchema, require_names
from dfsynth.options.simulate_tasks import TASK_OPTIONS
from dfsynth.records import Column, Parameter
from dfsynth.tasks import DEFAULT_TASK, task_named

PAIRS_VERSION: Final = 1
PAIRS_KIND: Final = "pairs"
"""Of manifests of the default task; those of others have the task's name behind it."""

_COLUMNS: Final = (
    Column("image_id", "string", "Name of the pair, unique in its store", nullable=False),
    Column("row", "int64", "Index of the pair in every array of the store", nullable=False),
    Column("shard", "int32", "The run shard that holds the row", nullable=False),
    Column("status", "string", "ok or failed", nullable=False),
    Column("error_code", "string", "Why the pair failed, in one word; null where it is ok"),
    Column("error", "string", "Why the pair failed, in one sentence; null where it is ok"),
    Column(
        "patient_id",
        "string",
        "The phantom, volume or radiograph: equal for all pairs of one person",
        nullable=False,
    ),
    Column("split", "string", "train, val, calibration or test, by patient", nullable=False),
    Column("origin", "string", "phantom, ct or cxr", nullable=False),
    Column(
        "truth",
        "string",
        "simulated: all of the pair; semi-synthetic: a real radiograph, a simulated target",
        nullable=False,
    ),
    Column("source", "string", "File relative to its root; null for a phantom"),
    Column("source_sha256", "string", "SHA-256 of the source's bytes, in hexadecimal"),
    Column("license", "string", "Licence of the source, and so of the pair", nullable=False),
    Column(
        "severity",
        "float32",
        "Emphysema drawn over the lung; what a CT volume brings along is in laa950 alone",
        "0 to 1",
    ),
    Column("laa950", "float32", "Share of the lung's volume below -950 HU", "0 to 1"),
    Column("eps_bar_per_m", "float32", "Mean dark-field coefficient: sdf_m2 over volume", "1/m"),
    Column(
        "sdf_m2",
        "float32",
        "Total dark-field signal: the coefficient over the volume of both lungs, also beyond the "
        "image; a phantom's vessels are not taken out (about 2 %)",
        "m²",
    ),
    Column("lung_volume_l", "float32", "Volume of both lungs, counted in the same way", "l"),
    Column("pixel_mm", "float32", "Pitch of the pixels at the object", "mm"),
    Column("kvp", "float32", "Tube voltage of the attenuation image", "kV"),
    Column(
        "n0",
        "float32",
        "Photons a detector pixel without an object, all steps together; a pixel of the pair has "
        "n0 max(1, pixel_mm / detector_pixel_mm)^2",
    ),
    Column("v0", "float32", "Visibility without an object", "0 to 1"),
    Column("seed", "int64", "What all of the pair was drawn from", nullable=False),
    Column("flags", "list<string>", "Remarks, for example devices", nullable=False),
    Column("checksum", "string", "BLAKE2b-128 of the row's stored values, in hexadecimal"),
    Column("seconds", "float32", "Compute time of the pair", "s"),
)


_OF_LUNGS: Final = frozenset({"severity", "laa950", "eps_bar_per_m", "sdf_m2", "lung_volume_l"})
"""Columns that tasks without lungs have not."""
_OF_EXPOSURES: Final = frozenset({"kvp", "n0", "v0"})
"""Columns of simulated X-rays, which slices of volumes have not."""
_OF_SLICES: Final = {
    "patient_id": "The person: equal for all pairs of one, and decides the split",
    "origin": "What the pair was made of: volume",
    "truth": "simulated: one image of the pair is computed from the other; measured: neither is",
    "source": "Volume relative to its root, with the slice's number behind it",
    "source_sha256": "SHA-256 of the volume's bytes, in hexadecimal",
    "pixel_mm": "Pitch of the pixels",
    "flags": "Remarks on the pair",
}
"""What common columns say where pairs are slices of volumes."""
_COMMON: Final = frozenset(column.name for column in _COLUMNS)


@cache
def pair_schema(task: str) -> ManifestSchema:
    """The manifest of the pairs of a task, by its name.

    Raises:
        UsageError: there is no such task.
    """
    kind = PAIRS_KIND if task == DEFAULT_TASK else f"{PAIRS_KIND}-{task}"
    known = task_named(task)
    columns = pair_columns(lungs=known.has_lungs, slices=TASK_OPTIONS[task].slices_volumes)
    return ManifestSchema(kind, PAIRS_VERSION, (*columns, *known.parameter))


def pair_columns(*, lungs: bool, slices: bool) -> tuple[Column, ...]:
    """The columns before the parameters, of pairs that show lungs and of slices of volumes."""
    left_out = {*(() if lungs else _OF_LUNGS), *(_OF_EXPOSURES if slices else ())}
    words = _OF_SLICES if slices else {}
    return tuple(
        replace(column, description=words.get(column.name, column.description))
        for column in _COLUMNS
        if column.name not in left_out
    )


def null_parameters(schema: ManifestSchema) -> dict[str, Parameter]:
    """The parameters of a pair that could not be made, all null, by the names of their columns."""
    return {column.name: None for column in schema.columns if column.name not in _COMMON}


def check_parameters(schema: ManifestSchema, parameters: Mapping[str, Parameter]) -> None:
    """Requires parameters to name each of the schema's once, and nothing else.

    Raises:
        StoreError: A name is unknown or missing.
    """
    require_names(parameters, null_parameters(schema), "parameters of a pair")
