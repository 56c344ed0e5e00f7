"""The tasks of MRI from volumes to restored slices: no lung, and patients are kept together."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from head_volumes import head, write_head, write_heads
from small_runs import train_best
from store_content import assert_equal_stores

import dfsynth
from dfsynth.errors import UsageError
from dfsynth.manifest import pair_schema
from dfsynth.options import SimulateOptions
from dfsynth.splits import SPLITS

pytestmark = pytest.mark.torch
UNDERSAMPLED, MOTION = "mri-undersampled", "mri-motion"
PEOPLE = 12
RECIPE = """
name = "restored"
task = "mri-undersampled"
size = 64
batch = 2
[network]
backbone = "residual-unet"
stages = 2
widths = [4, 4, 4, 4, 4]
lung_head = false
[augmentation]
rotation_deg = 0.0
contrast = 0.0
[loss]
adversarial = 0.0
residual = 0.0
lung = 0.0
[validation]
every_steps = 2
[[phase]]
name = "only"
stages = [1, 2]
steps = 4
learning_rate = 1e-3
"""


@pytest.fixture(scope="module")
def volumes(tmp_path_factory) -> Path:
    folder = write_heads(tmp_path_factory.mktemp("mr") / "volumes", PEOPLE)
    # Two scans of one person.
    lines = [f"head-{n:02d}.nii.gz,{'f0' if n < 2 else f'f{n}'},CC0" for n in range(PEOPLE)]
    (folder / "labels.csv").write_text("\n".join(["file,person,license", *lines]) + "\n")
    return folder


@pytest.fixture(scope="module")
def pairs(volumes, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("pairs") / "u.zarr"
    dfsynth.simulate_pairs(
        out, task=UNDERSAMPLED, volumes=volumes, size=64, shard_size=48, progress=None
    )
    return out


@pytest.fixture(scope="module")
def checkpoint(pairs, tmp_path_factory) -> Path:
    return train_best(RECIPE, pairs, tmp_path_factory.mktemp("trained"))


def test_every_slice_that_shows_something_is_a_pair_of_its_person(pairs):
    store = dfsynth.open_store(pairs)
    rows = store.manifest.to_pylist()
    assert store.maps == ("undersampled", "magnitude", "kspace_mask")
    assert store.manifest.schema.equals(pair_schema(UNDERSAMPLED).arrow, check_metadata=True)
    assert len({(row["volume"], row["slice"]) for row in rows}) == len(rows)
    assert len({row["volume"] for row in rows}) == PEOPLE
    assert {row["source"] for row in rows} == {
        f"{row['volume']}/slice-{row['slice']:04d}" for row in rows
    }
    of_first = {row["split"] for row in rows if row["volume"] < "head-02"}
    assert len(of_first) == 1
    assert {row["split"] for row in rows} == set(SPLITS)
    assert {row["license"] for row in rows} == {"CC0"}
    assert {row["patient_id"] for row in rows if row["volume"] < "head-02"} == {"volume:f0"}
    assert store.record.excluded["constant_slice"] >= 2 * PEOPLE


def test_an_input_is_its_target_without_most_of_kspace(pairs):
    store = dfsynth.open_store(pairs)
    row = store.manifest.to_pylist()[3]
    maps = {name: store.read(name, row["row"]) for name in store.maps}
    assert row["kept_share"] == pytest.approx(0.08, abs=0.01) == maps["kspace_mask"].mean()
    kspace = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(maps["magnitude"])))
    kept = np.fft.ifft2(np.fft.ifftshift(kspace * maps["kspace_mask"]))
    np.testing.assert_allclose(maps["undersampled"], np.abs(np.fft.fftshift(kept)), atol=3e-3)
    placed = maps["magnitude"][10:54, 14:50] * row["white"]
    original = head(int(row["volume"][5:7]))[row["slice"]]
    np.testing.assert_allclose(placed, original, rtol=1e-3, atol=0.5)


def test_nothing_is_said_of_lungs(pairs):
    store = dfsynth.open_store(pairs)
    assert not {"severity", "lung_volume_l", "kvp"} & set(store.manifest.column_names)
    assert not {"severity", "without", "kvp", "devices"} & store.provenance.keys()
    said = (pairs / "README.md").read_text() + (pairs / "croissant.json").read_text()
    for word in ("emphysema", "lung", "dark-field rad", "tube voltage", "phantom"):
        assert word not in said, word
    assert "images of patients" in said


def test_a_simulation_that_was_cut_ends_as_one_that_was_not(pairs, volumes, tmp_path):
    out = tmp_path / "u.zarr"
    asked: dict[str, Any] = {"task": UNDERSAMPLED, "volumes": volumes, "size": 64, "shard_size": 48}
    for part in (0, 1):
        dfsynth.simulate_pairs(out, partition=(part, 2), progress=None, **asked)
    assert_equal_stores(pairs, out)
    with pytest.raises(UsageError, match=r"kept share of k-space: the store has 0\.08, asked"):
        dfsynth.simulate_pairs(out, progress=None, **asked, keep=0.2)
    with pytest.raises(UsageError, match="n: the store has null, asked for 3"):
        dfsynth.simulate_pairs(out, 3, progress=None, **asked)


def test_more_pairs_than_slices_draw_anew(volumes, tmp_path):
    asked: dict[str, Any] = {"task": MOTION, "volumes": volumes, "size": 64}
    found = dfsynth.simulate_pairs(tmp_path / "m.zarr", 12, progress=None, **asked)
    assert (found.rows, found.ok) == (12, 12)
    store = dfsynth.open_store(tmp_path / "m.zarr")
    for row in store.manifest.to_pylist():
        moved, sharp = (store.read(name, row["row"]) for name in ("moved", "magnitude"))
        assert 1 <= row["moves"] <= 6
        assert 0 < row["moved_share"] < 1
        assert 0.005 < np.abs(moved - sharp).mean() / sharp.mean() < 1
    few = tmp_path / "few"
    few.mkdir()
    write_head(few / "a.nii", head())
    dfsynth.simulate_pairs(tmp_path / "x.zarr", 30, progress=None, **{**asked, "volumes": few})
    rows = dfsynth.open_store(tmp_path / "x.zarr").manifest.to_pylist()
    again = [row["moved_share"] for row in rows if row["slice"] == rows[0]["slice"]]
    assert len(set(again)) == len(again) > 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"task": UNDERSAMPLED}, "expected --volumes DIR"),
        ({"task": MOTION, "volumes": "v", "keep": 0.2}, "--keep: expected with --task mri-under"),
        (
            {"volumes": "v"},
            "--volumes: expected with --task mri-undersampled, mri-motion or pet-ct",
        ),
        ({"task": UNDERSAMPLED, "volumes": "v", "ct": "c"}, "--ct: expected with --task dark-"),
        ({"task": UNDERSAMPLED, "volumes": "v", "origin": "ct"}, "--origin ct: expected with"),
        ({"task": UNDERSAMPLED, "volumes": "v", "mask": "spiral"}, "--mask spiral: expected cen"),
        ({"task": UNDERSAMPLED, "volumes": "v", "keep": 0}, "--keep 0: expected a share"),
        ({"task": MOTION, "volumes": "v", "moves": "0:3"}, "--moves 0:3: expected MIN:MAX"),
        ({"task": MOTION, "volumes": "v", "moves": 1.5}, "--moves 1.5:1.5: expected whole"),
        ({"task": MOTION, "volumes": "v", "move_mm": 80}, "--move-mm 80:80"),
        ({"task": UNDERSAMPLED, "volumes": "v", "size": 100}, "another multiple of 8"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path, given, said):
    with pytest.raises(UsageError, match=said):
        SimulateOptions.of(out=tmp_path / "x.zarr", n=2, **given)


def test_a_number_of_pairs_is_needed_where_nothing_else_says_it(tmp_path):
    with pytest.raises(UsageError, match="--task dark-field-ct: expected --n PAIRS"):
        SimulateOptions.of(out=tmp_path / "x.zarr", task="dark-field-ct")
    found = SimulateOptions.of(out=tmp_path / "x.zarr", task=MOTION, volumes="v")
    assert (found.n, found.size, found.origin) == (None, 256, "volume")


def test_a_folder_without_a_volume_that_can_be_used_is_answered_in_one_line(tmp_path, run_cli):
    folder = tmp_path / "v"
    folder.mkdir()
    series = SimpleITK.JoinSeries([SimpleITK.GetImageFromArray(head(n)) for n in range(2)])
    SimpleITK.WriteImage(series, str(folder / "four.nii.gz"))
    command = ("simulate", "--task", UNDERSAMPLED, "--volumes", folder)
    status, _, errors = run_cli(*command, "--out", tmp_path / "x.zarr")
    assert status == 2
    assert "found 1 unsupported_format; the first: --volumes: four.nii.gz: it is 36" in errors
    assert not (tmp_path / "x.zarr").exists()
    status, _, errors = run_cli(*command[:4], tmp_path / "none", "--out", tmp_path / "x.zarr")
    assert status == 2
    assert "expected a folder, found nothing there" in errors


def test_a_trained_network_is_evaluated_without_a_lung(pairs, checkpoint):
    card = json.loads((checkpoint / "model.json").read_text())
    assert card["task"] == UNDERSAMPLED
    assert card["intensity"] == {"low": 0.0, "high": 1.0, "unit": "1"}
    assert card["calibration"]
    found = dfsynth.evaluate_checkpoint(str(checkpoint), pairs, progress=None)
    last = found.stages[-1]
    assert found.lung_of == "none"
    assert last.lung is None
    assert last.whole.clean is None
    ssim = last.whole.noisy.ssim.value
    assert ssim is not None
    assert np.isfinite(ssim)


def test_slices_of_volumes_are_restored(checkpoint, pairs, tmp_path, run_cli):
    scans, store = tmp_path / "scans", dfsynth.open_store(pairs)
    scans.mkdir()
    slices = np.stack([store.read("undersampled", row).astype(np.float32) for row in range(4)])
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(slices), str(scans / "a.nii.gz"))
    out = tmp_path / "restored.zarr"
    dfsynth.build(scans, out, checkpoint=str(checkpoint), progress=None)
    built = dfsynth.open_store(out)
    assert built.maps == ("magnitude", "aleatoric", "epistemic")
    assert built.provenance["task"] == UNDERSAMPLED
    rows = built.manifest.to_pylist()
    assert [row["image_id"] for row in rows] == [f"a.nii.gz/slice-{n:04d}" for n in range(4)]
    for row in rows:
        assert row["status"] == "ok"
        assert row["lung_fraction"] is None
        assert row["uncertainty"] > 0
    assert run_cli("verify", out)[0] == 0
    for command in (("show", out, "--out", tmp_path / "x.png"), ("info", out)):
        assert run_cli(*command)[0] == 0
    assert run_cli("report", out, "--out", tmp_path / "report")[0] == 0
    status, _, errors = run_cli(
        *("build", "--source", scans, "--out", tmp_path / "y.zarr"),
        *("--checkpoint", checkpoint, "--maps", "lung"),
    )
    assert status == 2
    assert "is for mri-undersampled, whose maps are magnitude, aleatoric" in errors
