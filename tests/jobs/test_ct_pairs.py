"""Dark-field CT from simulation to restored slices: the same stores, commands and refusals."""

import inspect
import json
import re
import runpy
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from small_runs import train_best
from store_content import assert_equal_stores

import dfsynth
from dfsynth.cli.simulate import simulate
from dfsynth.errors import UsageError
from dfsynth.jobs.truth_images import TruthImages
from dfsynth.manifest import pair_schema
from dfsynth.options import SimulateOptions
from dfsynth.options.simulate_tasks import SCAN_FIELDS
from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings
from dfsynth.store.build_record import BuildRecord
from dfsynth.tasks import task_named

pytestmark = pytest.mark.torch
CT = "dark-field-ct"
SMALL: dict[str, Any] = {"task": CT, "size": 64, "rotations": 2, "shots": 200, "window_shots": 21}
EXAMPLE = Path(__file__).parents[2] / "examples" / "restore_slices.py"
RECIPE = runpy.run_path(str(EXAMPLE))["RECIPE"].replace("steps = 40", "steps = 4")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("ct") / "ct.zarr"
    dfsynth.simulate_pairs(out, 12, shard_size=4, progress=None, **SMALL)
    return out


@pytest.fixture(scope="module")
def checkpoint(pairs, tmp_path_factory) -> Path:
    return train_best(RECIPE, pairs, tmp_path_factory.mktemp("trained"))


def test_a_store_holds_what_the_task_says(pairs):
    store = dfsynth.open_store(pairs)
    assert store.maps == (
        *("single_rotation", "multi_rotation", "truth", "attenuation"),
        *("lung_mask", "air_mask"),
    )
    assert store.manifest.schema.equals(pair_schema(CT).arrow, check_metadata=True)
    provenance: dict[str, Any] = dict(store.provenance)
    assert provenance["task"] == CT
    assert provenance["settings"]["scan rotations"] == 2
    assert store.arrays["truth"].attrs["units"] == "1/m"
    assert not {"kvp", "devices"} & store.provenance.keys()
    assert "of multi_rotation" in repr(store.dataset(include_no_lung=True))
    for line in store.manifest.to_pylist():
        truth, lung = (store.read(name, line["row"]) for name in ("truth", "lung_mask"))
        if line["object"] == "chest":
            assert truth[lung == 1].mean() == pytest.approx(line["eps_bar_per_m"], rel=0.3)
        assert np.isfinite(store.read("single_rotation", line["row"])).all()
        assert line["scan_mode_1_amplitude_rad"] > 0


def test_a_simulation_that_was_cut_ends_as_one_that_was_not(pairs, tmp_path):
    out = tmp_path / "ct.zarr"
    for part in (0, 1, 2):
        dfsynth.simulate_pairs(out, 12, shard_size=4, partition=(part, 3), progress=None, **SMALL)
    assert_equal_stores(pairs, out)
    with pytest.raises(UsageError, match="scan rotations"):
        dfsynth.simulate_pairs(out, 12, shard_size=4, progress=None, **{**SMALL, "rotations": 3})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rotations": 2}, "--rotations: expected with --task dark-field-ct alone"),
        ({"task": CT, "kvp": 100}, "--kvp: expected with --task dark-field-radiography or res"),
        ({"task": CT, "without": "stripes"}, "--without stripes"),
        ({"task": "ct"}, "no task 'ct'"),
        ({"task": CT, "size": 100}, "another multiple of 8"),
    ],
)
def test_options_of_another_task_are_refused(tmp_path, given, said):
    with pytest.raises(UsageError, match=said):
        SimulateOptions.of(out=tmp_path / "x.zarr", n=2, **given)


def test_a_scanner_at_rest_whose_fringes_drift_makes_few_streaks(tmp_path):
    errors = {}
    at_rest: dict[str, Any] = {"vibration": 0, "drift": 4 * 133 / 21}
    for name, asked in (("rest", at_rest), ("shaken", {})):
        out = tmp_path / f"{name}.zarr"
        dfsynth.simulate_pairs(out, 1, progress=None, without="noise", **SMALL, **asked)
        store = dfsynth.open_store(out)
        error = store.read("single_rotation", 0) - store.read("truth", 0)
        errors[name] = np.abs(error).mean()
    assert errors["rest"] < 0.3 * errors["shaken"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"vibration": 0}, "found --vibration 0 and --drift 0.5, raise one of them"),
        ({"shots": 20}, "--shots 20: expected at least the 31"),
        ({"rotations": 0}, "--rotations 0: expected 1 to 20"),
        ({"window_shots": 22}, "--window-shots 22: expected an odd number"),
        ({"vibration": -1}, "--vibration -1"),
        ({"drift": -1}, "--drift -1"),
        ({"beam": "cone"}, "--beam 'cone': expected parallel or fan"),
    ],
)
def test_a_scan_that_cannot_be_is_refused_before_anything_is_written(
    tmp_path, run_cli, given, said
):
    """In the words of the command line, as all options that Python passes are refused."""
    command = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
    out = tmp_path / "x.zarr"
    status, _, errors = run_cli(
        "simulate", "--task", CT, "--out", out, "--n", 2, "--size", 64, *command
    )
    assert status == 2
    assert said in errors
    with pytest.raises(UsageError, match=re.escape(said)):
        dfsynth.simulate_pairs(out, 2, task=CT, size=64, progress=None, **given)
    assert not out.exists()


@pytest.mark.parametrize(("option", "field"), SCAN_FIELDS.items())
def test_options_of_the_scanner_are_named_after_what_people_give(option, field):
    assert option in SimulateOptions.__slots__
    assert field in ScanSettings.__slots__
    assert option in inspect.signature(simulate).parameters


def test_slices_are_restored_and_a_radiograph_among_them_is_a_failed_row(
    pairs, checkpoint, tmp_path, run_cli
):
    store, source = dfsynth.open_store(pairs), tmp_path / "slices"
    source.mkdir()
    slices = [store.read("single_rotation", row) for row in range(2)]
    tifffile.imwrite(source / "a.tiff", slices[0])
    np.save(source / "b.npy", slices[1])
    tifffile.imwrite(source / "c.tiff", (np.arange(4096).reshape(64, 64) % 251).astype(np.uint8))
    maps = ("dark_field_coefficient", "aleatoric", "single_rotation")
    out = tmp_path / "out.zarr"
    report = dfsynth.build(
        source, out, checkpoint=str(checkpoint), maps=maps, dtype="float32", progress=None
    )
    assert (report.ok, report.failed) == (2, 1)
    built = dfsynth.open_store(out)
    lines = built.manifest.to_pylist()
    assert [line["error_code"] for line in lines] == [None, None, "wrong_unit"]
    assert built.arrays["dark_field_coefficient"].attrs["units"] == "1/m"
    assert built.arrays["aleatoric"].attrs["units"] == "1/m"
    assert built.arrays["single_rotation"].attrs["units"] == "1/m"
    for row, values in enumerate(slices):
        np.testing.assert_array_equal(built.read("single_rotation", row), values)
    assert built.provenance["task"] == CT
    assert built.provenance["dark_field_coefficient_unit"] == "1/m"
    units = {column.name: column.unit for column in built.record.manifest_schema.columns}
    assert units["dark_field_mean"] == units["uncertainty"] == "1/m"
    assert "of dark_field_coefficient" in repr(built.dataset())
    assert run_cli("verify", out)[0] == 0
    for command in (("show", out, "--out", tmp_path / "x.png"), ("info", out)):
        assert run_cli(*command)[0] == 0
    assert run_cli("report", out, "--out", tmp_path / "report")[0] == 0
    assert run_cli("export", out, "--to", "tiff", "--out", tmp_path / "tiffs")[0] == 0


def test_the_truth_stands_beside_what_was_restored(pairs, checkpoint, tmp_path, run_cli):
    store, source, out = dfsynth.open_store(pairs), tmp_path / "slices", tmp_path / "x.zarr"
    source.mkdir()
    for line in store.manifest.to_pylist()[:2]:
        values = store.read("single_rotation", line["row"])
        np.save(source / f"{line['image_id']}.npy", values)
    np.save(source / "unknown.npy", values)
    dfsynth.build(source, out, checkpoint=str(checkpoint), progress=None)
    built = dfsynth.open_store(out)
    record, lines, truths = (
        built.record,
        built.manifest.to_pylist(),
        TruthImages(pairs, task_named(CT)),
    )
    assert isinstance(record, BuildRecord)
    for row, line in enumerate(lines[:2]):
        found = truths.read(record, line)
        assert found is not None
        np.testing.assert_array_equal(found, store.read("truth", row))
    assert truths.read(record, lines[2]) is None
    sheets = []
    for name, more in (("plain", ()), ("truth", ("--truth", pairs))):
        sheets.append(tmp_path / f"{name}.png")
        assert run_cli("show", out, "--out", sheets[-1], "--source", source, *more)[0] == 0
    plain, beside = (imagecodecs.imread(sheet).shape[1] for sheet in sheets)
    assert beside > 1.1 * plain
    for given, said in (
        (("--truth", out), "expected pairs of the task dark-field-ct"),
        (("--ids", "unknown.npy", "--truth", pairs), "no pair that an image drawn is named after"),
    ):
        status, _, errors = run_cli("show", out, "--out", sheets[0], *given)
        assert status == 2
        assert said in errors
    assert "whose truth is drawn already" in run_cli("show", pairs, "--truth", pairs)[2]


def test_a_map_of_another_task_is_refused(checkpoint, tmp_path, run_cli):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).random((64, 64), np.float32))
    status, _, errors = run_cli(
        *("build", "--source", tmp_path, "--out", tmp_path / "x.zarr"),
        *("--checkpoint", checkpoint, "--maps", "dark_field"),
    )
    assert status == 2
    assert "is for dark-field-ct, whose maps are dark_field_coefficient, aleatoric" in errors


def test_pairs_of_another_task_are_refused(pairs, tmp_path, run_cli):
    radiographs = tmp_path / "pairs.zarr"
    dfsynth.simulate_pairs(radiographs, 2, size=64, progress=None)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    status, _, errors = run_cli(
        "train", tmp_path / "recipe.toml", "--data", radiographs, "--out", tmp_path / "run"
    )
    assert status == 2
    assert "holds pairs for dark-field-radiography; expected those for dark-field-ct" in errors
    status, _, errors = run_cli("evaluate", "default", "--data", pairs, "--out", tmp_path / "e")
    assert status == 2
    assert "holds pairs for dark-field-ct; expected those for dark-field-radiography" in errors


def test_cards_speak_of_slices(pairs, checkpoint, tmp_path):
    np.save(tmp_path / "a.npy", dfsynth.open_store(pairs).read("single_rotation", 1))
    out = tmp_path / "x.zarr"
    dfsynth.build(tmp_path, out, checkpoint=str(checkpoint), progress=None)
    for store in (pairs, out):
        said = (store / "README.md").read_text() + (store / "croissant.json").read_text()
        for word in ("chest-x-ray", "conventional radiographs", "tube voltage", "implants"):
            assert word not in said
        assert "line integral" not in said
    assert "Restored dark-field CT slices" in (out / "README.md").read_text()
    assert "scan window shots" in (pairs / "README.md").read_text()


def test_one_slice_in_one_line(pairs, checkpoint):
    values = dfsynth.open_store(pairs).read("single_rotation", 1)
    made = dfsynth.generate(values, checkpoint=str(checkpoint))
    assert made.output.shape == (64, 64)
    np.testing.assert_allclose(made.input, values, rtol=2e-3, atol=1e-3)
    assert "dark_field_coefficient" in made.maps
    assert "Synthetic images" in made._repr_html_()


def test_the_card_names_the_task_and_its_units(checkpoint):
    card = json.loads((checkpoint / "model.json").read_text())
    assert card["task"] == CT
    assert card["unit"] == "1/m"
    assert card["intensity"] == {"low": 0.0, "high": 1.0, "unit": "1/m"}
