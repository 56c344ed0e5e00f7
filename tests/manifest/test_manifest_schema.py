"""The schema agrees with the record, with the exported file, and with itself."""

import dataclasses
import json
import subprocess
import sys
import types
import typing
from pathlib import Path

import dfsynth.manifest
from dfsynth.manifest import COLUMNS, IMAGES, SCHEMA_VERSION
from dfsynth.records import ManifestRow
from dfsynth.score import SCORE_COLUMNS

EXPORTED = Path(__file__).parents[2] / "manifests" / "schema-v3.json"

CONTRACT = """
image_id row shard status error_code error source uri source_sha256 patient_id view sex age
findings findings_negative findings_uncertain
split width height bits photometric pixel_mm scale_y scale_x offset_y offset_x
dark_field_mean dark_field_lung_mean aleatoric_mean aleatoric_lung_mean aleatoric_p95
epistemic_mean epistemic_lung_mean epistemic_p95 uncertainty noise_uncertainty patient_uncertainty
structure_uncertainty_lung structure_uncertainty_outside predicted_error error_bound lung_fraction
lung_area_cm2 ood_score flags checksum seconds
"""

ARROW_OF_PYTHON = {
    str: {"string"},
    int: {"int16", "int32", "int64"},
    float: {"float32"},
    tuple[str, ...]: {"list<string>"},
}


def _arrow_types(hint: object) -> tuple[set[str], bool]:
    """The schema types that a record's annotation allows, and whether it allows None."""
    parts = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    (kind,) = [part for part in parts if part is not type(None)]
    if typing.get_origin(kind) is typing.Literal:
        kind = str
    return ARROW_OF_PYTHON[kind], type(None) in parts


def test_columns_are_those_of_the_contract_in_its_order() -> None:
    assert IMAGES.arrow.names == CONTRACT.split()
    assert [column.name for column in COLUMNS] == CONTRACT.split()


def test_columns_are_the_fields_of_the_record_and_the_scores() -> None:
    hints = typing.get_type_hints(ManifestRow)
    scores = {column.name for column in SCORE_COLUMNS}
    fields = {field.name for field in dataclasses.fields(ManifestRow)} - {"scores"}
    assert fields | scores == set(IMAGES.arrow.names)
    assert not fields & scores
    for column in COLUMNS:
        if column.name in scores:
            assert (column.type, column.nullable) == ("float32", True)
            continue
        allowed, nullable = _arrow_types(hints[column.name])
        assert column.type in allowed, column.name
        assert column.nullable == nullable, column.name


def test_every_column_is_described_in_its_metadata() -> None:
    for column, field in zip(COLUMNS, IMAGES.arrow, strict=True):
        assert field.metadata is not None
        assert field.metadata[b"description"].decode() == column.description
        assert "\n" not in column.description
        assert field.metadata.get(b"unit", b"").decode() == (column.unit or "")
    assert IMAGES.arrow.metadata == {b"dfsynth.schema_version": str(SCHEMA_VERSION).encode()}


def test_exported_schema_is_current() -> None:
    assert EXPORTED.read_bytes().decode() == IMAGES.to_json(), (
        "run: python -m dfsynth.manifest.export > manifests/schema-v3.json"
    )
    assert [
        column["name"] for column in json.loads(IMAGES.to_json())["columns"]
    ] == CONTRACT.split()


def test_the_module_prints_the_export() -> None:
    printed = subprocess.run(
        [sys.executable, "-W", "error", "-m", "dfsynth.manifest.export"],
        check=True,
        capture_output=True,
        cwd=EXPORTED.parents[1],
    ).stdout
    assert printed == EXPORTED.read_bytes()


def test_public_names_exist_and_are_sorted() -> None:
    assert dfsynth.manifest.__all__ == sorted(
        dfsynth.manifest.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )
    for name in dfsynth.manifest.__all__:
        assert hasattr(dfsynth.manifest, name)
