"""Stores and rows as Python shows them: in words, as HTML, as data frames, with nothing trusted."""

import html
import re
import sys
from base64 import b64decode
from pathlib import Path

import cv2
import numpy as np
import pandas
import polars
import pytest
from radiograph_files import write_bad_files, write_folder, write_image
from toy_generator import ToyMaker
from toy_simulator import ToyPairMaker

from dfsynth.errors import StoreError, UsageError
from dfsynth.jobs.build import run_build
from dfsynth.jobs.simulate import run_simulation
from dfsynth.options import BuildOptions, SimulateOptions
from dfsynth.progress import Silent
from dfsynth.store.opened import Store, open_store

PICTURE = re.compile(r'alt="([^"]*)"[^>]*src="data:image/png;base64,([^"]*)"')


def built(folder: Path, images: Path, **options) -> Store:
    made = BuildOptions(source=str(images), out=folder / "x.zarr", shard_size=4, **options)
    run_build(made, ToyMaker(), Silent())
    return open_store(folder / "x.zarr")


@pytest.fixture
def store(tmp_path) -> Store:
    images = write_folder(tmp_path / "radiographs", 6)
    write_bad_files(images)
    return built(tmp_path, images, maps=("dark_field", "aleatoric", "epistemic", "attenuation"))


def pictures(markup: str) -> dict[str, np.ndarray]:
    """Name → pixels of each picture in the HTML that has a name; colour scales have none."""
    found = {}
    for name, data in PICTURE.findall(markup):
        if name:
            pixels = cv2.imdecode(np.frombuffer(b64decode(data), np.uint8), cv2.IMREAD_COLOR)
            assert pixels is not None
            found[html.unescape(name)] = pixels
    return found


def test_a_row_is_shown_as_its_four_pictures(store):
    row = store.row("part0/image0002.png")
    shown = row._repr_html_()
    found = pictures(shown)
    assert [name.split(" ")[0] for name in found] == [
        "attenuation",
        "dark-field",
        "aleatoric",
        "epistemic",
    ]
    assert all(name.endswith("of part0/image0002.png") for name in found)
    assert all(picture.std() > 3 for picture in found.values())
    assert "not for diagnosis" in shown
    assert repr(row) == f"<StoredRow {row.row}: 'part0/image0002.png'>"
    np.testing.assert_array_equal(row.read("dark_field"), store.read("dark_field", row.row))


def test_a_failed_row_says_why(store):
    row = store.row("text.png")
    assert not row.ok
    assert repr(row).endswith("'text.png', failed: not_an_image>")
    shown = row._repr_html_()
    assert row.facts["error"] in html.unescape(shown)
    assert len(pictures(shown)) == 4


def test_rows_are_found_by_number_and_by_id(store):
    for number in range(10):
        row = store.row(number)
        assert row.row == number
        assert store.row(row.image_id).facts == row.facts


@pytest.mark.parametrize("wanted", [-1, 10, 99, 10**12, "no-such.png"])
def test_a_row_that_is_not_there_is_named(store, wanted):
    with pytest.raises(UsageError, match=f"no row {wanted!r} .* a number from 0 to 9"):
        store.row(wanted)


def test_a_map_that_is_not_stored_is_left_blank(tmp_path):
    store = built(tmp_path, write_folder(tmp_path / "radiographs", 2))
    found = pictures(store.row(0)._repr_html_())
    assert len(found) == 4
    # But for the words in it, the box is of one colour.
    blank = next(iter(found.values()))
    assert (blank == blank[0, 0]).all(axis=2).mean() > 0.9


def test_a_store_is_summed_up(store, tmp_path):
    shown = store._repr_html_()
    assert "10, 4 failed" in shown
    assert "dark_field (float32)" in shown
    assert "16 × 16 pixels" in shown
    assert "toy, 20 samples, seed 0" in shown
    assert str(tmp_path) in shown


def test_a_store_that_is_half_built_is_shown_as_such(store):
    (store.path / "manifest" / "part-0000001.parquet").unlink()
    assert "6 of 10: half built" in store._repr_html_()
    with pytest.raises(UsageError, match="no row 5 in the committed shards"):
        store.row(5)


def test_a_damaged_image_is_said_in_place_of_its_pictures(store):
    row = store.row(0)
    for shard in (store.path / "dark_field").rglob("*"):
        if shard.is_file() and shard.name != "zarr.json":
            shard.write_bytes(b"")
    shown = row._repr_html_()
    assert "damaged" in shown
    assert row.image_id in shown
    assert not pictures(shown)


def test_a_damaged_manifest_is_said_and_does_not_hide_the_store(store):
    part = store.path / "manifest" / "part-0000001.parquet"
    part.write_bytes(b"PAR1")
    assert "part-0000001.parquet" in store._repr_html_()
    with pytest.raises(StoreError, match="part-0000001"):
        store.row(5)


def test_names_from_files_are_escaped(tmp_path):
    images = tmp_path / "radiographs"
    write_image(images / "<img onerror=x>\x1b[31m'\"&.png", 1)
    store = built(tmp_path, images)
    shown = store.row(0)._repr_html_()
    assert "<img onerror" not in shown
    assert "&lt;img onerror=x&gt;\\u001b[31m&#x27;&quot;&amp;.png" in shown
    assert "\x1b" not in shown + repr(store.row(0)) + store._repr_html_()


def test_pairs_are_shown_too(tmp_path):
    options = SimulateOptions(out=tmp_path / "pairs.zarr", n=3, size=64, severity=(0.0, 0.0))
    run_simulation(options, ToyPairMaker(options), Silent())
    pairs = open_store(options.out)
    assert "phantom" in pairs._repr_html_()
    found = pictures(pairs.row(1)._repr_html_())
    assert len(found) == 5
    # Healthy lungs of 0.37, a usual signal, are no dim shadow.
    (clean,) = (pixels for name, pixels in found.items() if name.startswith("dark-field, clean"))
    assert 140 < clean.max() < 255


def test_the_manifest_is_a_data_frame_of_either_library(store):
    frame = store.manifest_as("pandas")
    assert isinstance(frame, pandas.DataFrame)
    assert frame.image_id.tolist() == store.manifest["image_id"].to_pylist()
    assert frame["dark_field_mean"].isna().sum() == 4
    other = store.manifest_as("polars")
    assert isinstance(other, polars.DataFrame)
    assert other["row"].to_list() == list(range(10))
    assert other["flags"].dtype == polars.List(polars.String)


def test_a_library_that_is_not_there_is_named(store, monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(UsageError, match=r"polars.*dfsynth\[polars\]"):
        store.manifest_as("polars")
    with pytest.raises(UsageError, match="expected 'pandas' or 'polars'"):
        store.manifest_as("arrow")


@pytest.mark.torch
def test_opening_a_store_loads_none_of_the_other_libraries_and_leaves_nothing_on_stderr(
    store, start_child
):
    program = (
        "import sys, dfsynth; s = dfsynth.open_store(sys.argv[1]); s.dataset(); repr(s.row(0)); "
        "print(*sorted({m.split('.')[0] for m in sys.modules}))"
    )
    child = start_child(program, store.path)
    loaded, errors = child.communicate()
    assert (child.returncode, errors) == (0, "")
    # pandas is loaded by Arrow, where it is installed.
    assert "dfsynth" in loaded.split()
    assert not {"polars", "xarray", "IPython"} & set(loaded.split())
