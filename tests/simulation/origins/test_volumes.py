"""Pairs of the CT origin, from a small volume of ellipsoids on disk."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
import torch
from ct_volumes import image_of, thorax_hu, write_series
from pair_files import write_radiograph

from dfsynth.errors import DfsynthError, ImageError
from dfsynth.options import SimulateOptions
from dfsynth.records import MadePair, PairItem
from dfsynth.simulation import Simulator
from dfsynth.simulation.ct import CtLimits, CtThorax, CtVolume, build_thorax

BUILD_THORAX = "dfsynth.simulation.origins.thorax_library.build_thorax"


@pytest.fixture(scope="module", autouse=True)
def segmented_once() -> Iterator[None]:
    """Equal voxels are segmented once for all tests here, whatever file they come from."""
    found: dict[bytes, CtThorax] = {}

    def build_once(volume: CtVolume, limits: CtLimits) -> CtThorax:
        voxels = volume.hu.tobytes()
        if voxels not in found:
            found[voxels] = build_thorax(volume, limits)
        source = {name: getattr(volume, name) for name in ("key", "license", "sha256")}
        return replace(found[voxels], **source)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BUILD_THORAX, build_once)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One good volume, one with a single lung, one that is no volume, and a note."""
    root = tmp_path_factory.mktemp("ct")
    SimpleITK.WriteImage(image_of(thorax_hu()), str(root / "chest.nii.gz"))
    SimpleITK.WriteImage(image_of(thorax_hu(left=False)), str(root / "one-lung.nii.gz"))
    (root / "broken.nrrd").write_bytes(b"NRRD0004\n\n\0\0")
    (root / "notes.txt").write_text("where these come from")
    (root / "licenses.csv").write_text("file,license\nchest.nii.gz,CC BY 4.0\n")
    return root


@pytest.fixture(scope="module")
def simulator(folder: Path) -> Simulator:
    return Simulator(
        SimulateOptions(out=Path("p.zarr"), n=2, size=64, origin="ct", ct=folder, device="cpu")
    )


@pytest.fixture(scope="module")
def item(simulator: Simulator) -> PairItem:
    subject = simulator.subjects(2).lines[0]
    return PairItem(
        0, 0, "pair-0", subject.patient_id, "train", "ct", subject.source, subject.license, 77
    )


@pytest.fixture(scope="module")
def pair(simulator: Simulator, item: PairItem) -> MadePair:
    return simulator.make(item)


def test_what_cannot_be_used_is_named_with_a_reason_and_the_others_go_on(
    simulator: Simulator,
) -> None:
    found = simulator.subjects(3)
    assert [line.source for line in found.lines] == ["chest.nii.gz"] * 3
    assert len({line.patient_id for line in found.lines}) == 1
    assert {line.license for line in found.lines} == {"CC BY 4.0"}
    assert sum(found.excluded.values()) == 3
    warnings = "\n".join(found.warnings)
    for name in ("one-lung.nii.gz", "broken.nrrd", "notes.txt"):
        assert name in warnings
    assert str(simulator) not in warnings


def test_reconstructions_of_one_scan_are_one_patient(tmp_path: Path) -> None:
    for name in ("lung", "soft"):
        write_series(tmp_path / "study1" / name, thorax_hu(), PatientID="4711-0815")
    options = SimulateOptions(out=Path("p.zarr"), n=2, size=64, origin="ct", ct=tmp_path)
    lines = Simulator(options).subjects(2).lines
    assert [line.source for line in lines] == ["study1/lung", "study1/soft"]
    assert {line.patient_id for line in lines} == {"ct:study1/lung"}


def test_one_volume_gives_different_pairs_of_one_person(
    simulator: Simulator, item: PairItem, pair: MadePair
) -> None:
    other = simulator.make(replace(item, seed=78))
    assert other.facts.source_sha256 == pair.facts.source_sha256
    difference = np.abs(other.arrays["lung_thickness_mm"] - pair.arrays["lung_thickness_mm"])
    assert difference.max() > 20


def test_a_pair_of_a_volume_is_the_same_whoever_makes_it(
    folder: Path, item: PairItem, pair: MadePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BUILD_THORAX, build_thorax)
    options = SimulateOptions(
        out=Path("p.zarr"), n=2, size=64, origin="ct", ct=folder, device="cpu"
    )
    again = Simulator(options).make(item)
    assert again.facts == pair.facts
    for name, values in pair.arrays.items():
        assert np.array_equal(values, again.arrays[name]), name


def test_lungs_are_found_and_bright_in_the_dark_field(pair: MadePair) -> None:
    inside = pair.arrays["lung_mask"] == 1
    assert 0.05 < inside.mean() < 0.6
    clean = pair.arrays["dark_field_clean"]
    assert clean[inside].mean() > 5 * clean[pair.arrays["lung_mask"] == 0].mean()
    assert (pair.facts.lung_volume_l or 0) > 1
    poses = [name for name in pair.facts.parameters if name.startswith("ct_")]
    assert {"ct_inflation", "ct_scale", "ct_wall", "ct_heart"} <= set(poses)
    assert all(pair.facts.parameters[name] is not None for name in poses)
    sides = (pair.facts.parameters[f"ct_{side}"] for side in ("width", "depth", "height"))
    assert np.prod([float(side or 0) for side in sides]) == pytest.approx(1)
    assert pair.facts.parameters["height_cm"] is None


def test_mixed_origins_go_round_robin(folder: Path) -> None:
    options = SimulateOptions(out=Path("p.zarr"), n=6, size=64, origin="mixed", ct=folder)
    lines = Simulator(options).subjects(6).lines
    assert [line.origin for line in lines] == ["phantom", "ct"] * 3
    assert len({line.patient_id for line in lines}) == 4


def test_a_phantom_is_named_by_the_pair_that_decides_its_body(folder: Path) -> None:
    mixed = SimulateOptions(out=Path("p.zarr"), n=6, size=64, origin="mixed", ct=folder)
    alone = SimulateOptions(out=Path("p.zarr"), n=6, size=64)
    one, other = (
        [(n, s.patient_id) for n, s in enumerate(Simulator(options).subjects(6).lines)]
        for options in (mixed, alone)
    )
    # Equal numbers have equal seeds in both stores, so equal bodies.
    assert {line for line in one if "phantom" in line[1]} < set(other)


def test_one_thread_computes_before_any_volume_is_built(folder: Path) -> None:
    threads = torch.get_num_threads()
    options = SimulateOptions(out=Path("p.zarr"), n=2, size=64, origin="ct", ct=folder)
    try:
        torch.set_num_threads(threads + 1)
        Simulator(options).subjects(1)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)


def resumed(folder: Path) -> Simulator:
    """As of a run that goes on with a plan: nothing is in memory."""
    return Simulator(
        SimulateOptions(out=Path("p.zarr"), n=2, size=64, origin="ct", ct=folder, device="cpu")
    )


@pytest.mark.parametrize("failure", [OSError(5, "input/output error"), RuntimeError("no memory")])
def test_failure_with_a_volume_that_passed_ends_the_run_and_is_not_kept(
    folder: Path, item: PairItem, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    simulator = resumed(folder)

    def fail(*_: object) -> None:
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr("dfsynth.simulation.origins.thorax_library.read_volume", fail)
        with pytest.raises(DfsynthError, match=r"chest\.nii\.gz.*run the same command") as caught:
            simulator.make(item)
    assert not isinstance(caught.value, ImageError)
    assert simulator.make(item).facts.source_sha256


def test_a_volume_that_went_away_ends_the_run(folder: Path, item: PairItem) -> None:
    simulator = resumed(folder)
    with pytest.raises(DfsynthError, match=r"gone\.nii: .*") as caught:
        simulator.make(replace(item, source="gone.nii"))
    assert not isinstance(caught.value, ImageError)


def test_another_folder_is_another_fingerprint(folder: Path, tmp_path: Path) -> None:
    SimpleITK.WriteImage(image_of(thorax_hu(noise=3)), str(tmp_path / "chest.nii.gz"))
    options = SimulateOptions(out=Path("p.zarr"), n=2, size=64, origin="ct", ct=folder)
    one = Simulator(options).settings()
    assert one == Simulator(options).settings()
    assert one != Simulator(replace(options, ct=tmp_path)).settings()


@pytest.mark.parametrize(
    ("folders", "version"),
    [
        ({"origin": "phantom"}, 1),
        ({"origin": "cxr", "cxr": Path("x")}, 1),
        ({"origin": "mixed", "cxr": Path("x")}, 1),
        ({"origin": "ct", "ct": Path("x")}, 3),
        ({"origin": "mixed", "ct": Path("x"), "cxr": Path("x")}, 3),
    ],
)
def test_a_change_of_one_origin_gives_stores_without_it_no_new_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folders: dict[str, Any], version: int
) -> None:
    """Volumes alone give other pairs than in 0.1.0: stores of the others are gone on with."""
    monkeypatch.chdir(tmp_path)
    write_radiograph(Path("x", "a.png"), 0)
    SimpleITK.WriteImage(image_of(np.zeros((4, 8, 8), np.int16)), str(Path("x", "b.nii")))
    options = SimulateOptions(out=Path("p.zarr"), n=2, size=64, **folders)
    assert Simulator(options).settings()["simulator"] == version


def test_a_file_replaced_by_one_of_its_size_is_another_fingerprint(tmp_path: Path) -> None:
    small = np.zeros((4, 8, 8), np.int16)
    SimpleITK.WriteImage(image_of(small), str(tmp_path / "a.nii"))
    SimpleITK.WriteImage(image_of(small), str(tmp_path / "b.nhdr"))
    options = SimulateOptions(out=Path("p.zarr"), n=2, size=64, origin="ct", ct=tmp_path)
    for name in ("a.nii", "b.raw"):
        before = Simulator(options).settings()
        path = tmp_path / name
        changed = path.stat().st_mtime_ns + 10**9
        path.write_bytes(path.read_bytes()[::-1])
        os.utime(path, ns=(changed, changed))
        assert Simulator(options).settings() != before, name
