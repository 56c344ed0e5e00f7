"""The command line tools of HDF5 and netCDF read a built store, bit for bit."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from radiograph_files import write_bad_files, write_folder
from toy_generator import ToyMaker

from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store.opened import open_store

H5DUMP = pytest.mark.skipif(shutil.which("h5dump") is None, reason="needs h5dump (hdf5-tools)")
NCDUMP = pytest.mark.skipif(shutil.which("ncdump") is None, reason="needs ncdump (netcdf-bin)")


@pytest.fixture
def store(tmp_path) -> Path:
    """Images in three parts, some of which failed."""
    images = write_folder(tmp_path / "images", 7)
    write_bad_files(images)
    out = tmp_path / "100% ours" / "x.h5"
    out.parent.mkdir()
    options = BuildOptions.of(source=str(images), out=out, shard_size=4)
    run_build(options, ToyMaker(), Silent())
    assert len(list((out.parent / "x.h5.parts").glob("*.h5"))) == 3
    return out


def printed(*command: str | Path) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout


def stored(store: Path, name: str) -> np.ndarray:
    """All images (image, y, x), NaN where one failed."""
    opened = open_store(store)
    return np.stack([opened.read(name, row) for row in range(opened.record.rows)])


@H5DUMP
@pytest.mark.parametrize("name", ["dark_field", "aleatoric", "epistemic"])
def test_h5dump_prints_every_value_of_the_virtual_datasets(store, name):
    # No index before values, one line, and as many digits as float32 needs.
    text = printed("h5dump", "-y", "-w", "0", "-m", "%.9g", "-A", "0", "-d", f"/{name}", store)
    numbers = text.split("DATA {")[1].split("}")[0].replace(",", " ").split()
    expected = stored(store, name)
    assert np.isnan(expected).any()
    np.testing.assert_array_equal(np.array(numbers, np.float32).reshape(expected.shape), expected)


@H5DUMP
def test_h5dump_opens_each_part_alone_and_names_its_filters(store):
    for part in sorted((store.parent / "x.h5.parts").glob("*.h5")):
        text = printed("h5dump", "-p", "-H", part)
        assert text.count("COMPRESSION DEFLATE { LEVEL 1 }") == 3
        assert text.count("PREPROCESSING SHUFFLE") == 3


@NCDUMP
def test_ncdump_prints_names_units_and_every_value(store):
    header = printed("ncdump", "-h", store)
    assert "float dark_field(image, y, x) ;" in header
    assert 'string dark_field:units = "1" ;' in header
    assert ":schema_version = " in header
    text = printed("ncdump", "-p", "9", "-v", "dark_field", store)
    numbers = text.split("dark_field =")[1].split(";")[0].replace("NaNf", "nan").split(",")
    expected = stored(store, "dark_field")
    np.testing.assert_array_equal(np.array(numbers, np.float32).reshape(expected.shape), expected)
