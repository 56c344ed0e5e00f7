"""The schema of pairs agrees with the record, with the exported file, and with itself."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pair_schemas import NO_PARAMETERS, PAIR_PARAMETERS, PAIRS

from dfsynth.errors import StoreError
from dfsynth.manifest import (
    IMAGES,
    check_parameters,
    encode_part,
    pair_schema,
    read_manifest,
    read_part,
    select,
)
from dfsynth.manifest.pairs import pair_columns
from dfsynth.records import PairFacts, PairItem, PairRow
from dfsynth.tasks import DEFAULT_TASK, task_names

MANIFESTS = Path(__file__).parents[2] / "manifests"


def row(number: int, **more: Any) -> PairRow:
    known: dict[str, Any] = {
        "image_id": f"pair-{number:07d}",
        "row": number,
        "shard": 0,
        "status": "ok",
        "patient_id": f"phantom:{number}",
        "split": "train",
        "origin": "phantom",
        "truth": "simulated",
        "license": "CC0-1.0",
        "seed": 2**63 - 1 - number,
        "parameters": NO_PARAMETERS,
        "severity": number / 8,
    }
    return PairRow(**(known | more))


def test_columns_are_the_fields_of_the_row_then_the_parameters() -> None:
    fields = {field.name for field in dataclasses.fields(PairRow)} - {"parameters"}
    split = len(PAIRS.columns) - len(PAIR_PARAMETERS)
    assert {column.name for column in PAIRS.columns[:split]} == fields
    assert PAIRS.columns[split:] == PAIR_PARAMETERS
    names = PAIRS.arrow.names
    assert len(set(names)) == len(names)
    assert all(column.nullable for column in PAIR_PARAMETERS)


def test_lungs_and_slices_decide_columns_and_words_apart() -> None:
    """A task may show lungs in slices of volumes, or radiographs without lungs."""

    def words(*, lungs: bool, slices: bool) -> dict[str, str]:
        return {c.name: c.description for c in pair_columns(lungs=lungs, slices=slices)}

    slices_of_lungs, radiographs = words(lungs=True, slices=True), words(lungs=False, slices=False)
    assert slices_of_lungs["origin"] == "What the pair was made of: volume"
    assert "laa950" in slices_of_lungs
    assert "kvp" not in slices_of_lungs
    assert radiographs["origin"] == "phantom, ct or cxr"
    assert "laa950" not in radiographs
    assert "kvp" in radiographs


def test_what_is_planned_and_what_is_made_fill_the_row() -> None:
    """`simulate` copies both by name."""
    fields = {field.name for field in dataclasses.fields(PairRow)}
    for record in (PairItem, PairFacts):
        assert {field.name for field in dataclasses.fields(record)} <= fields


@pytest.mark.parametrize("task", task_names())
def test_exported_schema_is_current(task: str) -> None:
    schema = pair_schema(task)
    exported = MANIFESTS / f"schema-{schema.kind}-v{schema.version}.json"
    assert exported.read_text(encoding="utf-8") == schema.to_json(), (
        f"run: python -m dfsynth.manifest.export {task} > manifests/{exported.name}"
    )
    document = json.loads(schema.to_json())
    assert document["manifest"] == schema.kind
    assert [column["name"] for column in document["columns"]] == schema.arrow.names
    assert "manifest" not in json.loads(IMAGES.to_json())


def test_the_module_prints_the_export() -> None:
    printed = subprocess.run(
        [sys.executable, "-W", "error", "-m", "dfsynth.manifest.export", DEFAULT_TASK],
        check=True,
        capture_output=True,
        cwd=MANIFESTS.parent,
    ).stdout
    assert printed == (MANIFESTS / "schema-pairs-v1.json").read_bytes()


_VALUES = {
    "string": st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
    "bool": st.booleans(),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "float32": st.floats(width=32, allow_nan=False),
}


@settings(deadline=None, max_examples=30)
@given(
    parameters=st.fixed_dictionaries(
        {column.name: st.none() | _VALUES[column.type] for column in PAIR_PARAMETERS}
    )
)
def test_parameters_come_back_as_they_went_in(
    parameters: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    part = tmp_path_factory.mktemp("parts") / "part-0000000.parquet"
    part.write_bytes(encode_part([row(0, parameters=parameters)], PAIRS))
    table = read_part(part)
    assert table.schema.equals(PAIRS.arrow, check_metadata=True)
    (line,) = table.to_pylist()
    assert {name: line[name] for name in parameters} == parameters
    assert (line["seed"], line["flags"]) == (2**63 - 1, [])


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({**NO_PARAMETERS, "shoe_size": 42}, r"unknown \['shoe_size'\], missing \[\]"),
        ({}, r"unknown \[\], missing \['bits'"),
    ],
)
def test_unknown_and_missing_parameters_are_named(parameters: dict[str, float], words: str) -> None:
    with pytest.raises(StoreError, match=words):
        check_parameters(PAIRS, parameters)
    with pytest.raises(StoreError, match=words):
        encode_part([row(0, parameters=parameters)], PAIRS)


def test_a_parameter_of_another_type_is_named() -> None:
    wrong = row(7, parameters={**NO_PARAMETERS, "height_cm": "tall"})
    with pytest.raises(StoreError, match=r"row 7 .* column 'height_cm': found a str"):
        encode_part([row(6), wrong], PAIRS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [row(0), row(1, status="failed", severity=None), row(2, flags=("no_lung",)), row(3)]
    (tmp_path / "part-0000000.parquet").write_bytes(encode_part(rows, PAIRS))
    return tmp_path


def test_a_folder_of_pairs_is_read_and_filtered_as_one_of_images_is(folder: Path) -> None:
    table = read_manifest(folder)
    assert table.schema.equals(PAIRS.arrow, check_metadata=True)
    kept = select(folder, "origin = 'phantom' and severity < 0.375", None, None, True)
    assert kept.table["row"].to_pylist() == [0, 2]
    assert (kept.total, kept.findings) == (3, ())
    assert select(folder, None, None, None).no_lung == 1
    assert select(folder, None, 0.5, "severity", True).table["row"].to_pylist() == [0, 2]


def test_an_empty_folder_gives_the_columns_that_were_expected(tmp_path: Path) -> None:
    assert read_manifest(tmp_path).schema.equals(IMAGES.arrow)
    assert read_manifest(tmp_path, PAIRS).schema.equals(PAIRS.arrow)


def test_rows_of_the_wrong_kind_are_refused(folder: Path) -> None:
    for read in (read_part, read_manifest):
        path = folder / "part-0000000.parquet" if read is read_part else folder
        with pytest.raises(StoreError, match="holds 'pairs'; expected images"):
            read(path, IMAGES)


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "part-0000000.parquet"
    metadata = {b"dfsynth.schema_version": b"1", b"dfsynth.manifest": b"triples"}
    pq.write_table(pa.table({"row": [0]}).replace_schema_metadata(metadata), path)
    with pytest.raises(StoreError, match="holds 'triples'; expected images, pairs"):
        read_part(path)
