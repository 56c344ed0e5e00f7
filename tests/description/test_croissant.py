"""Croissant metadata is valid to the library of its makers, which loads the manifest by it."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import mlcroissant
import pytest
from pair_schemas import PAIRS
from toy_simulator import ToyPairMaker

from dfsynth.jobs.simulate import run_simulation
from dfsynth.manifest import COLUMNS
from dfsynth.options import SimulateOptions
from dfsynth.progress import Silent
from dfsynth.source import find_corpus
from dfsynth.store import StoreLayout
from dfsynth.store.opened import open_store

# What mlcroissant uses of rdflib and pandas is to change there.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph", "ignore:The inplace keyword")


def croissant_of(store: Path) -> Path:
    return StoreLayout(store).croissant


def loaded(store: Path, record_set: str) -> list[dict[str, object]]:
    """The records, names of columns alone, texts as texts."""
    opened = mlcroissant.Dataset(str(croissant_of(store)))
    return [
        {name.removeprefix(f"{record_set}/"): _text(value) for name, value in record.items()}
        for record in opened.records(record_set)
    ]


def _text(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode()
    return [_text(entry) for entry in value] if isinstance(value, list) else value


def test_its_makers_library_finds_no_error_and_one_warning(store, caplog):
    with caplog.at_level(logging.WARNING):
        issues = mlcroissant.Dataset(str(croissant_of(store))).metadata.ctx.issues
    assert not issues.errors
    # The day of publication is not known to a store, and would differ between equal ones.
    (warning,) = issues.warnings
    assert "datePublished" in warning
    assert "not standard" not in caplog.text, "the context is that of the specification"


def test_its_command_validates_it(store):
    checked = subprocess.run(
        [
            sys.executable,
            "-c",
            "from mlcroissant.scripts.validate import main; from absl import app; app.run(main)",
            f"--jsonld={croissant_of(store)}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert "Done" in checked.stderr


def test_the_manifest_is_loaded_by_it(store):
    expected = open_store(store).manifest
    found = sorted(loaded(store, "images"), key=lambda record: int(str(record["row"])))
    assert [list(record) for record in found] == [[c.name for c in COLUMNS]] * 5
    for record, row in zip(found, expected.to_pylist(), strict=True):
        assert record["image_id"] == row["image_id"]
        assert record["status"] == row["status"]
        assert record["view"] == row["view"]
        assert record["findings"] == row["findings"]
        assert record["dark_field_mean"] == pytest.approx(row["dark_field_mean"], nan_ok=True)


def test_pairs_are_loaded_by_it(tmp_path):
    options = SimulateOptions(out=tmp_path / "p.zarr", n=5, size=64, shard_size=3)
    run_simulation(options, ToyPairMaker(options), Silent())
    found = loaded(options.out, "pairs")
    assert {record["image_id"] for record in found} == set(
        open_store(options.out).manifest["image_id"].to_pylist()
    )
    assert set(found[0]) == {column.name for column in PAIRS.columns}


def test_every_field_has_the_meaning_of_its_column(store):
    document = json.loads(croissant_of(store).read_text(encoding="utf-8"))
    (records,) = document["recordSet"]
    for column, field in zip(COLUMNS, records["field"], strict=True):
        assert field["name"] == column.name
        assert field["description"].startswith(column.description)
        assert (column.unit or "") in field["description"]


def test_it_says_that_all_is_synthetic_and_on_which_terms(store):
    document = json.loads(croissant_of(store).read_text(encoding="utf-8"))
    corpus = find_corpus("nih")
    assert document["license"] == [corpus.license]
    assert document["citeAs"] == corpus.citation
    assert "Synthetic" in document["description"]
    assert document["rai:dataCollection"].startswith("Synthetic")
    assert any("not for any decision" in text for text in document["rai:dataLimitations"])
    assert "isLiveDataset" not in document, "a finished store stays as it is"


def test_every_pattern_finds_files(store):
    folder = StoreLayout(store).folder
    document = json.loads(croissant_of(store).read_text(encoding="utf-8"))
    for files in document["distribution"]:
        assert list(folder.glob(files["includes"])), files["@id"]
