"""Stores of pairs: what is planned, written, refused, found damaged and mended."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pair_schemas import PAIR_ARRAYS, PAIRS
from radiograph_files import write_folder
from store_content import assert_equal_stores, plain_array
from toy_generator import ToyMaker
from toy_simulator import ToyPairMaker

from dfsynth.errors import ConflictError, DfsynthError, StoreError, UsageError
from dfsynth.files.json_record import without_checksum
from dfsynth.jobs.build import run_build
from dfsynth.jobs.simulate import run_simulation
from dfsynth.jobs.verify import verify_store
from dfsynth.options import BuildOptions, SimulateOptions
from dfsynth.progress import Silent
from dfsynth.records import MadePair, PairItem
from dfsynth.splits import split_of
from dfsynth.store import StoreLayout
from dfsynth.store.opened import open_store
from dfsynth.store.pairs_record import PairsRecord
from dfsynth.store.record import read_record
from dfsynth.store.zarr.paths import shard_path


def wanted(out: Path, **more: Any) -> SimulateOptions:
    return SimulateOptions(**{"out": out, "n": 7, "size": 64, "shard_size": 3, **more})


def simulated(out: Path, **more: Any) -> Path:
    options = wanted(out, **more)
    run_simulation(options, ToyPairMaker(options), Silent())
    return out


class Messages(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)


def test_arrays_are_those_of_the_contract_and_failed_rows_are_empty(tmp_path):
    store = open_store(simulated(tmp_path / "x.zarr"))
    assert store.maps == tuple(array.name for array in PAIR_ARRAYS)
    rows = store.manifest.to_pylist()
    assert [r["status"] for r in rows] == ["ok", "ok", "failed", "ok", "ok", "ok", "ok"]
    assert (rows[2]["error_code"], rows[2]["error"]) == ("not_an_image", "no lungs were found")
    for array in PAIR_ARRAYS:
        values = plain_array(store, array.name)
        assert values.dtype == array.dtype
        assert values.shape == (7, 64, 64)
    assert np.isnan(plain_array(store, "dark_field")[2]).all()
    masks = plain_array(store, "lung_mask")
    assert not masks[2].any()
    assert set(np.unique(masks[3])) == {0, 1, 2}


def test_rows_hold_plan_facts_and_parameters(tmp_path):
    store = open_store(simulated(tmp_path / "x.zarr", origin="mixed", ct=tmp_path))
    assert store.manifest.schema.equals(PAIRS.arrow, check_metadata=True)
    phantom, ct, _, _, _, cxr, _ = store.manifest.to_pylist()
    assert (phantom["image_id"], phantom["origin"]) == ("pair-0000000", "phantom")
    assert (phantom["source"], phantom["truth"]) == (None, "simulated")
    assert (ct["source"], ct["truth"], ct["license"]) == ("volume1.nii", "simulated", "CC-BY-4.0")
    assert (cxr["origin"], cxr["truth"]) == ("cxr", "semi-synthetic")
    assert (ct["height_cm"], ct["sex"], ct["stripe_sd"]) == (170.0, "F", None)
    assert len({r["seed"] for r in store.manifest.to_pylist()}) == 7


def test_attributes_say_what_the_arrays_are_and_that_they_are_simulated(tmp_path):
    store = open_store(simulated(tmp_path / "x.zarr", origin="mixed", ct=tmp_path))
    attributes: dict[str, Any] = dict(store.provenance)
    assert "not for diagnosis" in str(store.arrays.attrs["notice"])
    assert attributes["arrays"].keys() == {array.name for array in PAIR_ARRAYS}
    assert attributes["arrays"]["lung_thickness_mm"]["unit"] == "mm"
    assert attributes["dark_field_window"] == [0.0, 1.0]
    assert attributes["licences"] == ["CC-BY-4.0", "CC0-1.0"]
    assert attributes["settings"] == {"simulator_version": 1, "sources": ["a", "b"]}


@pytest.mark.parametrize("more", [{"shard_size": 1}, {"shard_size": 64}, {"workers": 5}])
def test_a_pair_depends_on_no_shard_and_no_thread(tmp_path, more):
    one, other = simulated(tmp_path / "a.zarr"), simulated(tmp_path / "b.zarr", **more)
    for name in open_store(one).maps:
        values, others = (plain_array(open_store(path), name) for path in (one, other))
        np.testing.assert_array_equal(values, others, err_msg=name)


def test_the_first_pairs_of_a_longer_store_are_those_of_a_shorter(tmp_path):
    short, long = (open_store(simulated(tmp_path / f"{n}.zarr", n=n)) for n in (4, 9))
    np.testing.assert_array_equal(
        plain_array(short, "dark_field"), plain_array(long, "dark_field")[:4], strict=True
    )
    assert short.manifest["split"].to_pylist() == long.manifest["split"].to_pylist()[:4]


def test_a_record_comes_back_as_it_was_written(tmp_path):
    record = read_record(StoreLayout(simulated(tmp_path / "x.zarr", without=("noise",))).build)
    assert isinstance(record, PairsRecord)
    found = without_checksum(json.loads(record.to_json()))
    assert found.pop("kind") == "pairs"
    assert PairsRecord.from_document(found) == record


def test_a_store_of_images_names_no_kind_and_an_unknown_kind_is_refused(tmp_path):
    radiographs = write_folder(tmp_path / "radiographs", 2)
    out = tmp_path / "images.zarr"
    run_build(BuildOptions(source=str(radiographs), out=out), ToyMaker(), Silent())
    path = StoreLayout(out).build
    document = without_checksum(json.loads(path.read_text()))
    assert "kind" not in document
    path.write_text(json.dumps({"kind": "build", **document}))
    assert read_record(path).command == "dfsynth build"
    path.write_text(json.dumps({"kind": "triples", **document}))
    with pytest.raises(StoreError, match=r"store of 'triples'; .* reads build and pairs"):
        read_record(path)


def test_every_difference_is_named(tmp_path):
    out = simulated(tmp_path / "x.zarr")
    other = wanted(
        out, n=8, size=96, seed=5, severity=(0.1, 0.2), kvp=(70, 70), without=("noise",), implants=1
    )
    maker = ToyPairMaker(other, {"simulator_version": 2, "reader": "abc"})
    with pytest.raises(ConflictError) as caught:
        run_simulation(other, maker, Silent())
    for part in (
        "n: the store has 7, asked for 8",
        "size: the store has [64, 64], asked for [96, 96]",
        "seed: the store has 0, asked for 5",
        "severity: the store has [0.0, 1.0], asked for [0.1, 0.2]",
        "kvp: the store has [90.0, 125.0], asked for [70, 70]",
        'without: the store has [], asked for ["noise"]',
        "devices: the store has 0.0, asked for 1",
        "simulator_version: the store has 1, asked for 2",
        'reader: the store has null, asked for "abc"',
    ):
        assert part in str(caught.value)
    assert "sources" not in str(caught.value)
    assert maker.listed == 0


def test_the_order_of_layers_is_no_difference(tmp_path):
    out = simulated(tmp_path / "x.zarr", without=("noise", "blur"))
    simulated(out, without=("blur", "noise"))


def test_neither_command_goes_on_with_the_others_store(tmp_path):
    radiographs = write_folder(tmp_path / "radiographs", 3)
    images, pairs = tmp_path / "images.zarr", simulated(tmp_path / "pairs.zarr")
    run_build(BuildOptions(source=str(radiographs), out=images), ToyMaker(), Silent())
    with pytest.raises(ConflictError, match="made by dfsynth build, not by dfsynth simulate"):
        simulated(images)
    with pytest.raises(ConflictError, match="made by dfsynth simulate, not by dfsynth build"):
        run_build(BuildOptions(source=str(radiographs), out=pairs), ToyMaker(), Silent())
    assert open_store(pairs).manifest.num_rows == 7
    simulated(images, overwrite=True)
    assert open_store(images).record.command == "dfsynth simulate"


def test_unusable_inputs_are_reported_and_the_others_go_on(tmp_path):
    options = wanted(tmp_path / "x.zarr")
    lines = ("a.nii: no lungs", "b.nii: not in HU")
    progress = Messages()
    maker = ToyPairMaker(options, excluded={"no_lungs": 1, "not_hu": 1}, warnings=lines)
    report = run_simulation(options, maker, progress)
    assert progress.lines[:2] == list(lines)
    assert report.excluded == {"no_lungs": 1, "not_hu": 1}
    assert report.ok == 6


def test_no_usable_input_is_wrong_usage_and_writes_nothing(tmp_path):
    options = wanted(tmp_path / "x.zarr", origin="ct", ct=tmp_path)

    class Empty(ToyPairMaker):
        def subjects(self, n):
            return replace(super().subjects(n), lines=())

    maker = Empty(options, excluded={"no_lungs": 2}, warnings=("a.nii: no lungs", "b.nii: too"))
    with pytest.raises(UsageError, match=r"no input can be used, found 2 no_lungs.*a\.nii"):
        run_simulation(options, maker, Silent())
    assert not (tmp_path / "x.zarr").exists()


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_a_folder_that_is_not_there_is_named(tmp_path, kind):
    folder = tmp_path / "volumes"
    if kind == "file":
        folder.touch()
    options = wanted(tmp_path / "x.zarr", origin="ct", ct=folder)
    with pytest.raises(UsageError, match=r"--ct .*volumes: expected a folder"):
        run_simulation(options, ToyPairMaker(options), Silent())


def test_radiographs_may_be_those_of_a_table(tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("file,patient_id\n")
    options = wanted(tmp_path / "x.zarr", origin="cxr", cxr=table)
    assert run_simulation(options, ToyPairMaker(options), Silent()).rows == options.n
    picture = tmp_path / "chest.png"
    picture.touch()
    options = wanted(tmp_path / "y.zarr", origin="cxr", cxr=picture)
    with pytest.raises(UsageError, match=r"chest\.png: expected a folder, or a \.csv"):
        run_simulation(options, ToyPairMaker(options), Silent())


class Altered(ToyPairMaker):
    """A maker whose pairs are changed on their way."""

    def __init__(self, options: SimulateOptions, alter) -> None:
        super().__init__(options, fail_every=None)
        self.alter = alter

    def make(self, item: PairItem) -> MadePair:
        return self.alter(super().make(item))


def run_altered(out: Path, alter) -> None:
    options = wanted(out)
    run_simulation(options, Altered(options, alter), Silent())


def with_parameters(made: MadePair, **more: float) -> MadePair:
    parameters = {**made.facts.parameters, **more}
    return replace(made, facts=replace(made.facts, parameters=parameters))


def without_sex(made: MadePair) -> MadePair:
    parameters = {k: v for k, v in made.facts.parameters.items() if k != "sex"}
    return replace(made, facts=replace(made.facts, parameters=parameters))


def without_mask(made: MadePair) -> MadePair:
    return replace(made, arrays={k: v for k, v in made.arrays.items() if k != "lung_mask"})


@pytest.mark.parametrize(
    ("alter", "words"),
    [
        (lambda made: with_parameters(made, shoe_size=42), r"unknown \['shoe_size'\]"),
        (without_sex, r"missing \['sex'\]"),
        (without_mask, "the store expects"),
        (lambda made: with_parameters(made, sex=1.5), "row 0 .* column 'sex': found a float"),
    ],
)
def test_a_simulator_that_breaks_its_contract_ends_the_run(tmp_path, alter, words):
    with pytest.raises(StoreError, match=words):
        run_altered(tmp_path / "x.zarr", alter)
    assert open_store(tmp_path / "x.zarr").manifest.num_rows == 0


def test_values_that_are_not_finite_and_errors_nobody_foresaw_become_rows(tmp_path):
    def spoil(made: MadePair) -> MadePair:
        spoiled = made.arrays["transmission"] * np.float32("nan")
        return replace(made, arrays={**made.arrays, "transmission": spoiled})

    def crash(made: MadePair) -> MadePair:
        raise ZeroDivisionError

    for alter, code in ((spoil, "non_finite"), (crash, "internal")):
        out = tmp_path / f"{code}.zarr"
        run_altered(out, alter)
        assert set(open_store(out).manifest["error_code"].to_pylist()) == {code}


def test_a_device_out_of_memory_ends_the_run_and_fails_no_row(tmp_path):
    def exhaust(made: MadePair) -> MadePair:
        raise MemoryError

    with pytest.raises(DfsynthError, match="out of memory"):
        run_altered(tmp_path / "x.zarr", exhaust)
    assert open_store(tmp_path / "x.zarr").manifest.num_rows == 0


@pytest.mark.parametrize("name", ["dark_field", "lung_mask"])
def test_damage_is_named_and_repair_makes_it_whole(tmp_path, name):
    whole, store = simulated(tmp_path / "a.zarr"), simulated(tmp_path / "b.zarr")
    assert verify_store(store, False, Silent()).damage == ()
    path = shard_path(StoreLayout(store), name, 1)
    data = bytearray(path.read_bytes())
    data[20] ^= 0x10
    path.write_bytes(data)
    found = verify_store(store, True, Silent())
    assert [(d.shard, d.image_id) for d in found.damage] == [(1, "pair-0000003")]
    assert found.requeued == (1,)
    simulated(store)
    assert_equal_stores(store, whole)


def test_a_part_of_images_among_pairs_is_damage(tmp_path):
    store = simulated(tmp_path / "x.zarr")
    radiographs = write_folder(tmp_path / "radiographs", 3)
    images = tmp_path / "images.zarr"
    run_build(BuildOptions(source=str(radiographs), out=images, shard_size=3), ToyMaker(), Silent())
    StoreLayout(store).part(0).write_bytes(StoreLayout(images).part(0).read_bytes())
    (damage,) = verify_store(store, False, Silent()).damage
    assert damage.shard == 0
    assert "holds 'images'; expected pairs" in damage.what


def test_a_patient_is_in_one_group_whatever_the_store(tmp_path):
    rows = open_store(simulated(tmp_path / "x.zarr", n=40, origin="ct", ct=tmp_path)).manifest
    groups: dict[str, set[str]] = {}
    for line in rows.to_pylist():
        groups.setdefault(line["patient_id"], set()).add(line["split"])
    assert len(groups) == 2
    assert all(len(found) == 1 for found in groups.values())


def test_shares_of_the_groups_hold_over_many_patients():
    splits: list[str] = [split_of(f"phantom:{number}") for number in range(20_000)]
    for split, share in (("train", 0.8), ("val", 0.05), ("calibration", 0.05), ("test", 0.1)):
        assert splits.count(split) / 20_000 == pytest.approx(share, abs=0.01)
