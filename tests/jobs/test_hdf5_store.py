"""Every command takes an HDF5 store as it takes a Zarr store."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from radiograph_files import write_bad_files, write_folder
from store_content import plain_array
from toy_generator import ToyMaker
from toy_simulator import ToyPairMaker

from dfsynth.datasets.opening import open_pairs
from dfsynth.errors import ConflictError
from dfsynth.jobs.build import run_build
from dfsynth.jobs.simulate import run_simulation
from dfsynth.options import BuildOptions, SimulateOptions
from dfsynth.progress import Silent
from dfsynth.source import open_source
from dfsynth.store.opened import open_store


@pytest.fixture
def images(tmp_path) -> Path:
    root = write_folder(tmp_path / "images", 7)
    write_bad_files(root)
    return root


def built(images: Path, out: Path, **more: object) -> Path:
    options = BuildOptions.of(source=str(images), out=out, shard_size=4, **more)
    run_build(options, ToyMaker(), Silent())
    return out


@pytest.fixture
def store(images, tmp_path) -> Path:
    return built(images, tmp_path / "x.h5")


def test_the_values_are_those_of_a_zarr_store(images, tmp_path, store):
    other = open_store(built(images, tmp_path / "x.zarr"))
    for name in other.maps:
        one = plain_array(open_store(store), name)
        np.testing.assert_array_equal(one, plain_array(other, name))
    assert open_store(store).manifest["checksum"].equals(other.manifest["checksum"])


def test_info_verify_filter_and_show(run_cli, tmp_path, store):
    found = json.loads(run_cli("info", store, "--json")[1])
    assert found["status"] == {"ok": 7, "failed": 4, "pending": 0}
    files = [store, *(p for p in (tmp_path / "x.h5.parts").rglob("*") if p.is_file())]
    assert found["size_bytes"] == sum(path.stat().st_size for path in files)
    assert (run_cli("verify", store)[0], found["missing"]) == (0, [])
    kept = tmp_path / "kept.parquet"
    condition = ("--where", "aleatoric_mean > 0", "--include-no-lung")
    status, _, err = run_cli("filter", store, *condition, "--out", kept)
    assert status == 0, err
    assert pq.read_table(kept).num_rows == 7
    for own in (store, tmp_path / "x.h5.parts" / "manifest" / "kept.parquet"):
        assert run_cli("filter", store, *condition, "--out", own)[0] == 2
    status, _, err = run_cli("show", store)
    assert status == 0, err
    assert (tmp_path / "x.h5.png").read_bytes()[:4] == b"\x89PNG"


def test_info_names_a_lost_part_and_show_refuses(run_cli, tmp_path, store):
    (tmp_path / "x.h5.parts" / "part-0000001.h5").unlink()
    status, out, _ = run_cli("info", store)
    assert status == 0
    assert "part-0000001.h5; dfsynth verify --repair" in out
    status, _, err = run_cli("show", store)
    assert status == 1
    assert "part-0000001.h5" in err
    status, out, _ = run_cli("verify", store, "--repair")
    assert status == 1
    assert "part-0000001.h5" in out


def test_the_folder_of_parts_names_the_store_too(run_cli, tmp_path, store):
    found = json.loads(run_cli("info", tmp_path / "x.h5.parts", "--json")[1])
    assert found["store"] == str(store)


def test_files_of_others_are_kept_and_ours_are_overwritten(images, tmp_path, store):
    other = tmp_path / "other.h5"
    other.write_bytes(b"precious")
    for more in ({}, {"overwrite": True}):
        with pytest.raises(ConflictError, match=r"other\.h5 exists and is no dfsynth store"):
            built(images, other, **more)
    assert other.read_bytes() == b"precious"
    with pytest.raises(ConflictError, match="seed"):
        built(images, store, seed=3)
    built(images, store, seed=3, overwrite=True)
    assert open_store(store).provenance["seed"] == 3


def test_a_folder_of_images_may_hold_stores(images):
    built(images, images / "mine.h5")
    built(images, images / "theirs.hdf5")
    listing = open_source(str(images), None).listing()
    assert listing.table.num_rows == 11
    assert listing.excluded["store"] == 4


def test_pairs_train_from_an_hdf5_store(tmp_path):
    options = SimulateOptions(out=tmp_path / "pairs.h5", n=12, size=64, shard_size=3)
    run_simulation(options, ToyPairMaker(options, fail_every=None), Silent())
    pairs = open_pairs(options.out, None, 64, (0.0, 1.0))
    assert "pairs.h5" in pairs.description
