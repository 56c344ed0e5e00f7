"""Both conventions come back from `build.json`, and percentiles as they always were."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from radiograph_files import write_folder
from small_runs import run

from dfsynth.files.json_record import without_checksum
from dfsynth.records import IntensityRange, IntensityWindow
from dfsynth.store import StoreLayout
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.intensity_entry import read_intensity

V0_1 = Path(__file__).resolve().parents[1] / "data" / "v0_1" / "images.zarr"


def read(raw: bytes) -> BuildRecord:
    entries = without_checksum(json.loads(raw))
    return BuildRecord.from_document({k: v for k, v in entries.items() if k != "kind"})


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> bytes:
    folder = tmp_path_factory.mktemp("store")
    run(str(write_folder(folder / "pictures", 2)), folder / "x.zarr")
    return StoreLayout(folder / "x.zarr").build.read_bytes()


def test_percentiles_stay_a_pair_to_the_byte(raw: bytes) -> None:
    record = read(raw)
    assert json.loads(raw)["intensity"] == [0.5, 99.5]
    assert record.intensity == IntensityWindow()
    assert record.to_json() == raw
    assert record.provenance()["intensity_percentiles"] == [0.5, 99.5]
    assert "intensity_range" not in record.provenance()


def test_a_store_of_the_first_version_still_has_its_percentiles() -> None:
    old = json.loads(StoreLayout(V0_1).build.read_bytes())
    assert read_intensity(old["intensity"]) == IntensityWindow(*old["intensity"])


def test_a_range_comes_back_with_its_unit(raw: bytes) -> None:
    wanted = IntensityRange(0.0, 1.0, "1/m")
    record = replace(read(raw), intensity=wanted)
    assert read(record.to_json()) == record
    assert record.provenance()["intensity_range"] == [0.0, 1.0]
    assert record.provenance()["intensity_unit"] == "1/m"
    assert "intensity_percentiles" not in record.provenance()
