"""Exports say of a patient what the manifest says, and nothing of it lies inside an image file."""

import csv
import json
import tarfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from radiograph_files import write_image
from toy_generator import ToyMaker

import dfsynth
from dfsynth.exports import FOLDER_FORMATS, TABLE_NAME
from dfsynth.jobs.build import run_build
from dfsynth.manifest import IMAGES
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent

KEYS = ("corpus-key-4711", "corpus-key-4712")
COLUMNS = [column.name for column in IMAGES.columns]


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """Two images, whose patients a table tells."""
    folder = tmp_path_factory.mktemp("keys")
    names = ("a.png", "b.png")
    for number, name in enumerate(names):
        write_image(folder / "radiographs" / name, number)
    lines = [f"{name},{key}" for name, key in zip(names, KEYS, strict=True)]
    table = folder / "table.csv"
    table.write_text("\n".join(["path,patient_id", *lines, ""]), encoding="utf-8")
    options = BuildOptions(
        source=str(table), root=folder / "radiographs", out=folder / "x.zarr", size=(32, 32)
    )
    assert run_build(options, ToyMaker(), Silent()).ok == 2
    return folder / "x.zarr"


def rows_of(out: Path) -> list[dict[str, object]]:
    """What the tables of an export say of each image."""
    if (out / TABLE_NAME).exists():
        with (out / TABLE_NAME).open(newline="", encoding="utf-8") as stream:
            return [dict(row) for row in csv.DictReader(stream)]
    rows: list[dict[str, object]] = []
    for path in sorted((out / "data").iterdir()):
        if path.suffix == ".parquet":
            rows += pq.read_table(path).to_pylist()
            continue
        with tarfile.open(path) as tar:
            for member in tar:
                content = tar.extractfile(member)
                if member.name.endswith(".json") and content is not None:
                    rows.append(json.load(content))
    return rows


BESIDE = {
    "png": {"file"},
    "tiff": {"file"},
    "dicom": {"file"},
    "webdataset": {"synthetic", "notice", "space", "store", "software", "maps"},
    "parquet": {"dark_field", "aleatoric", "epistemic"},
}
"""What a format's rows have besides the columns of the manifest."""


@pytest.mark.parametrize("to", [known.name for known in FOLDER_FORMATS])
def test_rows_hold_the_manifest_and_files_of_images_no_key(store, tmp_path, to):
    dfsynth.export(store, tmp_path / "out", to=to)
    rows = rows_of(tmp_path / "out")
    assert [row["patient_id"] for row in rows] == list(KEYS)
    assert all({*row} == {*COLUMNS, *BESIDE[to]} for row in rows)
    tables = {tmp_path / "out" / TABLE_NAME, *(tmp_path / "out").glob("data/*")}
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    for path in {*files} - tables:
        assert not [key for key in KEYS if key.encode() in path.read_bytes()], path
