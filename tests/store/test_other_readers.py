"""What others' readers make of a store: values that average, rows that count once.

Each test names the reader that met the fault.
"""

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import dask.array
import duckdb
import fastparquet
import numpy as np
import pyarrow.parquet as pq
import pytest
import xarray
import zarr
from radiograph_files import write_bad_files, write_folder
from toy_generator import ToyMaker
from toy_simulator import ToyPairMaker

from dfsynth.jobs.build import run_build
from dfsynth.jobs.simulate import run_simulation
from dfsynth.options import BuildOptions, SimulateOptions
from dfsynth.progress import Silent
from dfsynth.store.opened import Store, open_store
from dfsynth.store.zarr.reader import ZarrArrays

IMAGES = 9
SIDE = 256
"""A sum over 256² pixels of about 1 is beyond what float16 can hold."""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine images of 256² in shards of four, and four inputs that failed, all behind the fifth."""
    folder = tmp_path_factory.mktemp("readers")
    write_bad_files(write_folder(folder / "radiographs", IMAGES))
    options = BuildOptions(
        source=str(folder / "radiographs"),
        out=folder / "x.zarr",
        size=(SIDE, SIDE),
        shard_size=4,
        maps=("dark_field", "epistemic", "attenuation", "lung"),
    )
    run_build(options, ToyMaker(learned_flags=("devices",)), Silent())
    return options.folder


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven pairs with a mask of integers."""
    options = SimulateOptions(
        out=tmp_path_factory.mktemp("readers") / "pairs.zarr", n=7, size=64, shard_size=3
    )
    run_simulation(options, ToyPairMaker(options), Silent())
    return options.out


def good_rows(store: Store) -> list[int]:
    rows = store.manifest.select(["row", "status"]).to_pylist()
    return [row["row"] for row in rows if row["status"] == "ok"]


def means(store: Store, name: str) -> dict[int, float]:
    """The mean of each image, added up in float64."""
    return {row: float(store.read(name, row).mean(dtype=np.float64)) for row in good_rows(store)}


def test_xarray_with_dask_averages_what_is_stored(images: Path) -> None:
    store = open_store(images)
    expected = means(store, "dark_field")
    first = good_rows(store)[:5]
    with xarray.open_zarr(images) as opened:
        assert isinstance(opened["dark_field"].data, dask.array.Array)
        few = opened["dark_field"][first].mean(("y", "x")).to_numpy()
        whole = float(opened["dark_field"].mean())
        by_nanmean = float(dask.array.nanmean(opened["dark_field"].data).compute())
    np.testing.assert_allclose(few, [expected[row] for row in first], rtol=1e-5)
    assert min(expected.values()) > 0.1
    np.testing.assert_allclose([whole, by_nanmean], np.mean(list(expected.values())), rtol=1e-5)


def test_zarr_python_finds_units_names_and_kept_bits(images: Path, pairs: Path) -> None:
    group = zarr.open_group(images, mode="r")
    assert dict(group["dark_field"].attrs) == {
        "units": "1",
        "long_name": "synthetic dark-field image",
        "keepbits": 10,
    }
    assert group["lung"].attrs["long_name"] == "probability of lung"
    array = group["dark_field"]
    assert isinstance(array, zarr.Array)
    words = np.asarray(array[0]).view(np.uint32)
    assert array.dtype == np.float32
    assert not (words & np.uint32(2**13 - 1)).any()
    simulated = zarr.open_group(pairs, mode="r")
    assert simulated["dark_field"].attrs["keepbits"] == 23
    assert simulated["lung_thickness_mm"].attrs["units"] == "mm"
    assert set(simulated["lung_mask"].attrs) == {"units", "long_name"}


def test_zarr_python_finds_the_index_at_the_end_of_each_shard(images: Path) -> None:
    """Readers in browsers ask for the end of an object, and ignore that an index may lead."""
    document = json.loads((images / "dark_field" / "zarr.json").read_text())
    assert document["codecs"][0]["configuration"]["index_location"] == "end"
    array = zarr.open_group(images, mode="r")["dark_field"]
    assert isinstance(array, zarr.Array)
    assert array.shards == (4, SIDE, SIDE)


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
@pytest.mark.parametrize("store", ["images", "pairs"])
def test_to_netcdf_takes_the_store_as_it_is(
    engine: Any, store: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(store)
    with xarray.open_zarr(path) as opened:
        opened.to_netcdf(tmp_path / "x.nc", engine=engine)
        with xarray.open_dataset(tmp_path / "x.nc", engine=engine) as copy:
            for name in opened.data_vars:
                np.testing.assert_array_equal(copy[name], opened[name])
            attributes = dict(copy.attrs)
    found = open_store(path).provenance
    assert attributes["notice"] == found["notice"]
    assert json.loads(attributes["software"]) == found["software"]
    np.testing.assert_array_equal(attributes["grid_size"], found["grid_size"])


def test_attributes_of_the_group_are_the_provenance(images: Path, pairs: Path) -> None:
    for path in (images, pairs):
        stored: dict[str, Any] = dict(zarr.open_group(path, mode="r").attrs)
        provenance = json.loads(json.dumps(open_store(path).provenance))
        assert stored.keys() == provenance.keys()
        for name, value in provenance.items():
            held = stored[name]
            assert held == value or json.loads(held) == value
            assert isinstance(held, str | int | float | list)


@pytest.mark.parametrize("store", ["images", "pairs"])
def test_fastparquet_reads_lists(store: str, request: pytest.FixtureRequest) -> None:
    path: Path = request.getfixturevalue(store)
    for part in sorted((path / "manifest").iterdir()):
        with part.open("rb") as stream:  # of a path it leaves a file open
            found = fastparquet.ParquetFile(stream).to_pandas()
        expected = pq.read_table(part)
        assert [list(flags) for flags in found["flags"]] == expected["flags"].to_pylist()
    assert any(open_store(path).manifest["flags"].to_pylist())


def test_duckdb_counts_each_image_once(images: Path, pairs: Path) -> None:
    for path in (images, pairs):
        query = f"SELECT count(*), count(DISTINCT image_id) FROM read_parquet('{path}')"
        with duckdb.connect() as connection:
            rows = open_store(path).manifest.num_rows
            assert connection.execute(query).fetchall() == [(rows, rows)]


def test_the_manifest_folder_holds_finished_parts_alone(images: Path) -> None:
    names = sorted(path.name for path in (images / "manifest").iterdir())
    assert names == [f"part-{shard:07d}.parquet" for shard in range(4)]
    assert sorted(path.name for path in images.rglob("*.parquet")) == names


def test_to_xarray_reads_only_what_is_asked_for(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []
    read = ZarrArrays.read

    def watched(arrays: ZarrArrays, name: str, row: int) -> Any:
        asked.append((name, row))
        return read(arrays, name, row)

    monkeypatch.setattr(ZarrArrays, "read", watched)
    opened = open_store(images).to_xarray()
    choice = opened["dark_field"].sel(image_id="part0/image0002.png")[100]
    assert asked == []
    row = int(choice["row"])
    values = choice.to_numpy()
    assert asked == [("dark_field", row)]
    np.testing.assert_array_equal(values, open_store(images).read("dark_field", row)[100])


@pytest.mark.parametrize(
    "key",
    [
        0,
        -1,
        slice(None),
        slice(8, 2, -2),
        [3, 0, 3],
        (slice(1, 4), 7),
        (slice(2), slice(5, 50, 7), -3),
        ([2, 1], slice(None), [9, 4, 4]),
        (2, [1, 0], slice(3)),
        slice(0, 0),
        (slice(None), 5, [7, 7]),
    ],
)
def test_to_xarray_takes_every_kind_of_index(images: Path, key: Any) -> None:
    store = open_store(images)
    whole = np.stack([store.read("dark_field", row) for row in range(IMAGES + 4)])
    found = store.to_xarray()["dark_field"][key]
    keys = key if isinstance(key, tuple) else (key,)
    expected = xarray.DataArray(whole, dims=("image", "y", "x"))[keys]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found.to_numpy(), expected.to_numpy())


def test_to_xarray_averages_with_and_without_dask(images: Path) -> None:
    store = open_store(images)
    expected = np.mean(list(means(store, "epistemic").values()))
    opened = store.to_xarray()
    for dataset in (opened, opened.chunk(image=4), opened.chunk(image=5, y=100)):
        np.testing.assert_allclose(float(dataset["epistemic"].mean()), expected, rtol=1e-5)
    assert opened["epistemic"].attrs["units"] == "1"
    assert list(opened["image_id"].to_numpy()) == store.manifest["image_id"].to_pylist()


@pytest.mark.parametrize(
    "choose",
    [
        lambda opened: opened,
        lambda opened: opened.chunk(image=4),
        lambda opened: opened.isel(image=[7, 1, 2]),
        lambda opened: opened.isel(image=slice(3), x=slice(10)),
    ],
    ids=["whole", "by dask", "a choice", "a corner"],
)
@pytest.mark.parametrize("kind", ["zarr", "h5netcdf", "scipy"])
def test_what_to_xarray_gives_can_be_written(
    images: Path, choose: Any, kind: Any, tmp_path: Path
) -> None:
    chosen = choose(open_store(images).to_xarray())
    if kind == "zarr":
        chosen.to_zarr(tmp_path / "copy", consolidated=False)
        copy = xarray.open_zarr(tmp_path / "copy", consolidated=False)
    else:
        chosen.to_netcdf(tmp_path / "copy", engine=kind)
        copy = xarray.open_dataset(tmp_path / "copy", engine=kind)
    with copy:
        for name in chosen.data_vars:
            np.testing.assert_array_equal(copy[name], chosen[name])
            assert copy[name].dtype == np.float32
            assert copy[name].attrs == chosen[name].attrs
        assert list(copy["image_id"].to_numpy()) == list(chosen["image_id"].to_numpy())
        assert copy.attrs["notice"] == chosen.attrs["notice"]


def test_a_zarr_copy_is_cut_and_packed_like_the_store(images: Path, tmp_path: Path) -> None:
    open_store(images).to_xarray().to_zarr(tmp_path / "copy", consolidated=False)
    arrays = [zarr.open_group(path, mode="r")["dark_field"] for path in (images, tmp_path / "copy")]
    (source, copy) = (array for array in arrays if isinstance(array, zarr.Array))
    assert (copy.chunks, copy.shards) == (source.chunks, source.shards)
    assert copy.nbytes_stored() < 1.02 * source.nbytes_stored()


def test_to_xarray_of_pairs_keeps_masks_as_integers(pairs: Path) -> None:
    opened = open_store(pairs).to_xarray()
    assert opened["lung_mask"].dtype == np.uint8
    assert set(np.unique(opened["lung_mask"])) == {0, 1, 2}
    assert json.loads(opened.attrs["arrays"])["lung_thickness_mm"]["unit"] == "mm"


def test_to_xarray_shows_the_committed_images_of_an_unfinished_store(
    images: Path, tmp_path: Path
) -> None:
    shutil.copytree(images, tmp_path / "x.zarr")
    (tmp_path / "x.zarr" / "manifest" / "part-0000001.parquet").unlink()
    (tmp_path / "x.zarr" / "dark_field" / "c.1.0.0").unlink()
    opened = open_store(tmp_path / "x.zarr").to_xarray()
    assert opened["row"].to_numpy().tolist() == [0, 1, 2, 3, 8, 9, 10, 11, 12]
    np.testing.assert_array_equal(
        opened["dark_field"][4], open_store(images).to_xarray()["dark_field"][8]
    )


def test_no_reader_warns(images: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_store(images).to_xarray().load()
        with xarray.open_zarr(images) as opened:
            opened.load()
