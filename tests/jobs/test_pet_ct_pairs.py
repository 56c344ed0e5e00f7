"""The task PET → CT from sessions to stores and back: measured, simulated, refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from pet_sessions import body_hu, body_suv, write_session, write_volume

import dfsynth
from dfsynth.errors import UsageError
from dfsynth.jobs.pair_sheet import panels_of_pairs
from dfsynth.manifest import pair_schema
from dfsynth.options import SimulateOptions
from dfsynth.store.pairs_record import PairsRecord

pytestmark = pytest.mark.torch
TASK = "pet-ct"


@pytest.fixture(scope="module")
def sessions(tmp_path_factory) -> Path:
    """One of a corrected PET, one that moved, one without PET and one of which half is seen."""
    root = tmp_path_factory.mktemp("pet") / "sessions"
    write_session(root, "a")
    write_session(root, "moved", shift=8)
    hu, suv = body_hu(), body_suv(body_hu())
    hu[-1] = -1000
    write_volume(root / "alone.nii.gz", hu)
    write_volume(root / "half_ct.nii.gz", body_hu())
    write_volume(root / "half_petnac.nii.gz", suv[:6])
    return root


@pytest.fixture(scope="module")
def pairs(sessions, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("pairs") / "p.zarr"
    dfsynth.simulate_pairs(
        out, task=TASK, volumes=sessions, size=64, shard_size=64, workers=1, progress=None
    )
    return out


def test_pairs_say_what_was_measured(pairs):
    store = dfsynth.open_store(pairs)
    rows = store.manifest.to_pylist()
    assert store.maps == ("pet", "ct")
    assert store.manifest.schema.equals(pair_schema(TASK).arrow, check_metadata=True)
    found = {(row["volume"], row["pet_kind"], row["truth"]) for row in rows}
    assert found == {
        ("a_ct.nii.gz", "measured, corrected", "measured"),
        ("alone.nii.gz", "simulated", "simulated"),
        ("half_ct.nii.gz", "measured, uncorrected", "measured"),
    }
    for row in rows:
        simulated = row["pet_kind"] == "simulated"
        assert (row["overlap"] is None) == simulated
        assert (row["scatter_fraction"] is None) != simulated
        assert row["pixel_mm"] == 4.0
    assert len({(row["patient_id"], row["split"]) for row in rows}) == 3
    assert store.record.excluded == {"misaligned": 1, "constant_slice": 1, "outside_pet": 6}


def test_measured_slices_are_those_of_the_files(pairs):
    store = dfsynth.open_store(pairs)
    row = next(row for row in store.manifest.to_pylist() if row["volume"] == "a_ct.nii.gz")
    hu, suv = body_hu()[row["slice"]], body_suv(body_hu())[row["slice"]]
    pet, ct = (store.read(name, row["row"]) for name in ("pet", "ct"))
    np.testing.assert_allclose(ct[8:56, 2:62], hu, rtol=1e-3)
    np.testing.assert_allclose(pet[8:56, 2:62], suv, rtol=1e-3, atol=1e-3)
    assert ct[:8].max() == -1000
    assert pet[:8].max() == 0


def test_simulated_slices_show_the_body_by_what_it_absorbs(pairs):
    store = dfsynth.open_store(pairs)
    rows = [row for row in store.manifest.to_pylist() if row["pet_kind"] == "simulated"]
    seen = [(store.read("pet", row["row"]), store.read("ct", row["row"])) for row in rows]
    ratios = [pet[ct > -900].mean() / max(pet[:8].mean(), 1e-6) for pet, ct in seen]
    assert min(ratios) > 2
    assert np.median(ratios) > 5
    assert len({row["counts"] for row in rows}) == len(rows)


def test_the_pet_that_is_asked_for(sessions, tmp_path):
    asked = {"task": TASK, "volumes": sessions, "size": 64, "workers": 1, "progress": None}
    dfsynth.simulate_pairs(tmp_path / "m.zarr", 4, pet="measured", **asked)
    measured = dfsynth.open_store(tmp_path / "m.zarr")
    assert {row["truth"] for row in measured.manifest.to_pylist()} == {"measured"}
    assert measured.record.excluded["missing"] == 1
    dfsynth.simulate_pairs(tmp_path / "s.zarr", 4, pet="simulated", **asked)
    simulated = dfsynth.open_store(tmp_path / "s.zarr")
    assert {row["pet_kind"] for row in simulated.manifest.to_pylist()} == {"simulated"}
    # Nothing is compared with a PET that is not used.
    assert "misaligned" not in simulated.record.excluded
    with pytest.raises(UsageError, match='pet: the store has "simulated", asked for "measured"'):
        dfsynth.simulate_pairs(tmp_path / "s.zarr", 4, pet="measured", **asked)


def test_another_pet_makes_another_store(sessions, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(sessions, copy)
    asked = {"task": TASK, "volumes": copy, "size": 64, "workers": 1, "progress": None}
    dfsynth.simulate_pairs(tmp_path / "p.zarr", 2, **asked)
    write_volume(copy / "a_pet.nii.gz", body_suv(body_hu()) * 2)
    with pytest.raises(UsageError, match="volume inputs"):
        dfsynth.simulate_pairs(tmp_path / "p.zarr", 2, **asked)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"task": TASK}, "expected --volumes DIR"),
        ({"task": TASK, "volumes": "v", "pet": "nac"}, "--pet nac: expected any, measured"),
        ({"task": TASK, "volumes": "v", "keep": 0.2}, "--keep: expected with --task mri-under"),
        ({"volumes": "v", "task": "mri-motion", "pet": "measured"}, "--pet: expected with --task"),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path, given, said):
    with pytest.raises(UsageError, match=said):
        SimulateOptions.of(out=tmp_path / "x.zarr", n=2, **given)


def test_a_folder_of_moved_sessions_is_answered_in_one_line(tmp_path, run_cli):
    folder = write_session(tmp_path / "v", "a", shift=8)
    command = ("simulate", "--task", TASK, "--volumes", folder, "--out", tmp_path / "x.zarr")
    status, _, errors = run_cli(*command)
    assert status == 2
    assert "found 1 misaligned; the first: --volumes: a_ct.nii.gz: its body and that of" in errors
    assert not (tmp_path / "x.zarr").exists()


def test_pairs_are_shown_and_described_by_their_task(pairs, tmp_path, run_cli):
    for command in (("show", pairs, "--out", tmp_path / "x.png"), ("info", pairs)):
        assert run_cli(*command)[0] == 0
    assert run_cli("verify", pairs)[0] == 0
    said = (pairs / "README.md").read_text() + (pairs / "croissant.json").read_text()
    assert "corrected for attenuation or not" in said
    for word in ("emphysema", "lung field", "tube voltage", "phantom"):
        assert word not in said, word
    assert dfsynth.open_store(pairs).provenance["task"] == TASK
    assert json.loads((pairs / "croissant.json").read_text())["name"]


def test_pictures_and_pages_tell_what_was_simulated_from_what_was_measured(pairs, tmp_path):
    store = dfsynth.open_store(pairs)
    rows, record = store.manifest.to_pylist(), store.record
    assert isinstance(record, PairsRecord)
    panels = panels_of_pairs(store, record, rows)
    assert {row["truth"] for row in rows} == {"measured", "simulated"}
    for line, drawn in zip(rows, panels.rows, strict=True):
        assert line["truth"] in drawn.caption
    assert panels.footer == "Measured and simulated images, not for diagnosis."
    alone = [line for line in rows if line["truth"] == "simulated"]
    (caption, *_) = [row.caption for row in panels_of_pairs(store, record, alone).rows]
    assert "simulated" not in caption
    dfsynth.write_report(pairs, out=tmp_path / "report", progress=None)
    page = (tmp_path / "report" / "index.html").read_text()
    assert "no generator made them" in page
    assert "Pairs were simulated" not in page
