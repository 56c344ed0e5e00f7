"""Other programs read HDF5 stores bit for bit, wherever store and parts lie together."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray

from dfsynth.store import ArraySpec, Json, StoreLayout
from dfsynth.store.hdf5.format import HDF5
from dfsynth.store.hdf5.paths import part_path


def write_all(layout: StoreLayout, spec: ArraySpec, values: np.ndarray) -> StoreLayout:
    """Rows that are NaN throughout are skipped."""
    HDF5.write_group(layout, [spec], {"schema_version": 1})
    for shard in range(spec.shards):
        write_shard(layout, spec, values, shard)
    return layout


def write_shard(layout: StoreLayout, spec: ArraySpec, values: np.ndarray, shard: int) -> None:
    with HDF5.shard_writer(layout, [spec], shard) as writer:
        for index in range(spec.rows_of(shard)):
            row = values[shard * spec.shard_size + index]
            if np.isnan(row).all():
                writer.skip(index)
            else:
                writer.append(index, HDF5.encode_row([spec], {spec.name: row}))
        writer.commit()


@pytest.fixture
def spec() -> ArraySpec:
    return ArraySpec("dark_field", "float32", 10, 37, 21, 4, units="1", long_name="dark field")


@pytest.fixture
def values(spec) -> np.ndarray:
    """Row 5 failed."""
    drawn = np.random.default_rng(0).normal(size=(10, 37, 21)).astype(np.float32)
    limits = np.finfo(np.float32)
    drawn[0, 0, :3] = np.array([-0.0, limits.max, limits.smallest_subnormal], np.float32)
    drawn[5] = np.nan
    return drawn


@pytest.fixture
def written(tmp_path, spec, values) -> StoreLayout:
    return write_all(StoreLayout(tmp_path / "x.h5"), spec, values)


def read_all(path: Path, name: str = "dark_field") -> np.ndarray:
    with h5py.File(path) as file:
        return np.asarray(file[name][:])


@pytest.mark.parametrize("dtype", ["float16", "float32", "uint8"])
@pytest.mark.parametrize(("rows", "shard_size"), [(8, 4), (10, 4), (3, 1), (1, 7)])
def test_h5py_reads_every_bit(tmp_path, dtype, rows, shard_size):
    spec = ArraySpec("dark_field", dtype, rows, 37, 21, shard_size)
    values = np.random.default_rng(0).normal(100, 20, (rows, 37, 21)).astype(dtype)
    layout = write_all(StoreLayout(tmp_path / "x.h5"), spec, values)
    found = read_all(layout.root)
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found.view(np.uint8), values.view(np.uint8))
    arrays = HDF5.open_arrays(layout)
    for row in range(rows):
        np.testing.assert_array_equal(arrays.read("dark_field", row), values[row])


def test_failed_and_unwritten_rows_read_as_nan(tmp_path, spec, values):
    layout = StoreLayout(tmp_path / "x.h5")
    HDF5.write_group(layout, [spec], {})
    assert np.isnan(read_all(layout.root)).all()
    write_shard(layout, spec, values, 1)
    found = read_all(layout.root)
    assert np.isnan(found[[0, 1, 2, 3, 5, 8, 9]]).all()
    np.testing.assert_array_equal(found[[4, 6, 7]], values[[4, 6, 7]])


def test_integers_that_were_not_written_read_as_zero(tmp_path):
    spec = ArraySpec("lung_mask", "uint8", 3, 4, 5, 2)
    layout = StoreLayout(tmp_path / "x.h5")
    HDF5.write_group(layout, [spec], {})
    assert not read_all(layout.root, "lung_mask").any()


def test_files_are_of_the_format_that_old_programs_read(written):
    for path in (written.root, part_path(written, 0)):
        data = path.read_bytes()
        assert data[:9] == b"\x89HDF\r\n\x1a\n\x00", "a superblock of version 0"
        with h5py.File(path) as file:
            assert file.libver == ("earliest", "v200")


def test_chunks_of_a_part_are_gzipped_and_shuffled_whole_images(written, spec):
    with h5py.File(part_path(written, 2)) as part:
        (dataset,) = part.values()
        assert dataset.shape == (4, 37, 21)
        assert dataset.chunks == (1, 37, 21)
        assert (dataset.compression, dataset.shuffle) == ("gzip", True)
        assert dataset.id.get_num_chunks() == 2


def test_xarray_opens_with_names_and_values(written, values):
    with xarray.open_dataset(written.root, engine="h5netcdf") as dataset:
        assert list(dataset.variables) == ["dark_field"]
        assert dataset.sizes == {"image": 10, "y": 37, "x": 21}
        assert dataset.attrs == {"schema_version": 1}
        assert dataset["dark_field"].attrs == {"units": "1", "long_name": "dark field"}
        np.testing.assert_array_equal(dataset["dark_field"].to_numpy(), values)


@pytest.mark.parametrize("name", ["x.h5", "100%b %d.h5", "größe.HDF5"])
def test_moved_or_copied_together_store_and_parts_stay_readable(tmp_path, spec, values, name):
    layout = write_all(StoreLayout(tmp_path / name), spec, values)
    other, third = tmp_path / "other place", tmp_path / "third"
    other.mkdir()
    third.mkdir()
    for path in (layout.root, layout.folder):
        path.rename(other / path.name)
    shutil.copy(other / layout.root.name, third)
    shutil.copytree(other / layout.folder.name, third / layout.folder.name)
    for folder in (other, third):
        np.testing.assert_array_equal(read_all(folder / name), values)
        assert HDF5.read_group(StoreLayout(folder / name))[0] == (spec,)
    shutil.rmtree(other)
    np.testing.assert_array_equal(read_all(third / name), values)


def test_a_store_of_the_same_name_in_the_current_folder_lends_no_image(
    tmp_path, monkeypatch, spec, values
):
    """HDF5 looks there for the parts that a virtual dataset misses beside itself."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    write_all(StoreLayout(here / "x.h5"), spec, values)
    HDF5.write_group(StoreLayout(there / "x.h5"), [spec], {})
    monkeypatch.chdir(here)
    assert np.isnan(read_all(Path("../there/x.h5"))).all()
    np.testing.assert_array_equal(read_all(Path("x.h5")), values)


def test_extending_keeps_what_is_written(written, spec, values):
    longer = replace(spec, rows=17)
    HDF5.write_group(written, [longer], {"schema_version": 1, "extended": True})
    assert HDF5.read_group(written) == ((longer,), {"schema_version": 1, "extended": True})
    found = read_all(written.root)
    assert found.shape == (17, 37, 21)
    np.testing.assert_array_equal(found[:10], values)
    assert np.isnan(found[10:]).all()


def test_attributes_are_texts_and_numbers_and_everything_else_is_json(tmp_path, spec):
    attributes: dict[str, Json] = {
        "notice": "größer",
        "empty": "",
        "seed": 7,
        "huge": 2**70,
        "window": [0.0, 1.5],
        "flag": True,
        "nothing": None,
        "names": ["a", "b"],
        "generator": {"name": "default"},
    }
    layout = StoreLayout(tmp_path / "x.h5")
    HDF5.write_group(layout, [spec], attributes)
    assert HDF5.read_group(layout) == ((spec,), attributes)
    with h5py.File(layout.root) as file:
        found = dict(file.attrs)
    np.testing.assert_array_equal(found.pop("window"), [0.0, 1.5])
    assert found == {
        "notice": "größer",
        "empty": "",
        "seed": 7,
        "huge": str(2**70),
        "flag": "true",
        "names": '["a", "b"]',
        "generator": '{"name": "default"}',
    }


def test_the_folder_of_parts_names_the_same_store(written):
    assert StoreLayout(written.folder) == written
    assert os.path.commonpath([written.part(0), written.folder]) == str(written.folder)
