"""Maps put back into the geometry of their source: the inverse of the letterbox."""

from pathlib import Path

import numpy as np
import pytest
from radiograph_files import write_bad_files, write_image
from toy_generator import ToyMaker
from toy_simulator import ToyPairMaker

from dfsynth.errors import StoreError, UsageError
from dfsynth.jobs.build import run_build
from dfsynth.jobs.simulate import run_simulation
from dfsynth.options import BuildOptions, SimulateOptions
from dfsynth.preprocess import letterbox, to_grid, to_source
from dfsynth.progress import Silent
from dfsynth.store.opened import Store, open_store

SIZES = {"tall.png": (90, 31), "wide.png": (20, 77), "square.png": (16, 16)}


@pytest.fixture
def store(tmp_path) -> Store:
    for name, (height, width) in SIZES.items():
        write_image(tmp_path / "source" / name, 3, height, width)
    write_bad_files(tmp_path / "source")
    options = BuildOptions(
        source=str(tmp_path / "source"), out=tmp_path / "x.zarr", size=(32, 48), shard_size=3
    )
    run_build(options, ToyMaker(), Silent())
    return open_store(tmp_path / "x.zarr")


def rows(store: Store) -> dict[str, int]:
    return {line["image_id"]: line["row"] for line in store.manifest.to_pylist()}


@pytest.mark.parametrize("name", SIZES)
def test_a_map_has_the_pixels_of_its_source(store, name):
    row = rows(store)[name]
    found = store.to_source(row, "dark_field")
    assert found.shape == SIZES[name]
    assert found.dtype == np.float32
    geometry = letterbox(SIZES[name], (32, 48))
    np.testing.assert_array_equal(found, to_source(store.read("dark_field", row), geometry))


@pytest.mark.parametrize("name", SIZES)
def test_it_undoes_the_letterbox(store, name):
    """A ramp, which resampling leaves as it is, goes there and back."""
    height, width = SIZES[name]
    y, x = np.mgrid[:height, :width]
    ramp = (y / height + x / width).astype(np.float32)
    geometry = letterbox((height, width), (32, 48))
    grid = np.zeros((32, 48), np.float32)
    grid[geometry.content] = to_grid(ramp, geometry)
    back = store.to_source(rows(store)[name], grid)
    inner = np.s_[height // 8 : -(height // 8), width // 8 : -(width // 8)]
    np.testing.assert_allclose(back[inner], ramp[inner], atol=0.02)


def test_what_has_no_source_geometry_is_refused(store, tmp_path):
    with pytest.raises(UsageError, match=r"shape \(3, 4\) is not of the store's grid \(32, 48\)"):
        store.to_source(0, np.zeros((3, 4)))
    for row in (rows(store)["text.png"], 99, -1):
        with pytest.raises(StoreError, match="has no image"):
            store.to_source(row, np.zeros((32, 48)))
    with pytest.raises(StoreError, match="no array 'attenuation'"):
        store.to_source(0, "attenuation")
    options = SimulateOptions(out=Path(tmp_path / "pairs.zarr"), n=2, size=64, shard_size=2)
    run_simulation(options, ToyPairMaker(options), Silent())
    with pytest.raises(UsageError, match="holds pairs"):
        open_store(tmp_path / "pairs.zarr").to_source(0, "dark_field")
