"""Whole builds of corpora: views, findings with states, pitch, bare pixels, and wrong roots."""

import shutil
from pathlib import Path

import pytest
from miniature_corpus import plant
from toy_generator import ToyMaker

from dfsynth.errors import ConflictError, UsageError
from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store.opened import open_store

CORPUS = """
name = "mine"
title = "Chest radiographs of children"
licence = "CC0"
citation = "A. Author. 2020"
paediatric = true
[images]
files = ["*.png", "*.IMG"]
id = "{stem}"
[images.facts]
pixel_mm = "0.175"
[images.raw]
width = 2048
height = 2048
bits = 12
byte_order = "big"
photometric = "MONOCHROME1"
[[table]]
files = ["t.csv"]
key = "{id}"
[table.columns]
view = "view"
[table.labels]
columns = ["Edema", "Mass"]
"""
TABLE = "id,view,Edema,Mass\na,PA,1,0\nb,LATERAL,0,0\nc,AP,-1,\n"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "mine.toml").write_text(CORPUS)
    plant(tmp_path / "root", {"t.csv": TABLE}, ["a.png", "b.png", "c.IMG"])
    return tmp_path


def build(mine: Path, **more: object) -> None:
    options = BuildOptions.of(
        source=mine / "mine.toml", root=mine / "root", out=mine / "x.zarr", size=32, **more
    )
    run_build(options, ToyMaker(batch_size=1), Silent())


def test_the_manifest_holds_what_the_corpus_says(mine) -> None:
    build(mine)
    store = open_store(mine / "x.zarr")
    names = ("image_id", "view", "findings", "findings_negative", "findings_uncertain", "bits")
    assert store.manifest.select(names).to_pylist() == [
        dict(zip(names, ("a", "PA", ["Edema"], ["Mass"], [], 8), strict=True)),
        dict(zip(names, ("c", "AP", [], [], ["Edema"], 12), strict=True)),
    ]
    pitches = store.manifest["pixel_mm"].to_pylist()
    assert pitches == pytest.approx([0.175, 0.175])
    assert store.manifest["status"].to_pylist() == ["ok", "ok"]
    assert store.provenance["source"] == {
        "name": "mine",
        "licence": "CC0",
        "title": "Chest radiographs of children",
        "citation": "A. Author. 2020",
        "paediatric": True,
    }
    assert store.record.excluded["not_frontal:LATERAL"] == 1


def test_all_views(mine) -> None:
    build(mine, views="all")
    assert open_store(mine / "x.zarr").manifest["image_id"].to_pylist() == ["a", "b", "c"]
    build(mine)  # takes what the store has
    with pytest.raises(
        ConflictError, match=r"views: the store has \W*all\W*, asked for \W*frontal"
    ):
        build(mine, views="frontal")


def test_other_views_are_refused(mine) -> None:
    with pytest.raises(UsageError, match="--views lateral: expected frontal, all"):
        build(mine, views="lateral")


def test_a_source_without_views_has_all(mine) -> None:
    options = BuildOptions(source=str(mine / "root"), out=mine / "x.zarr", views="frontal")
    with pytest.raises(UsageError, match=r"--views frontal: .* tells no views"):
        run_build(options, ToyMaker(batch_size=1), Silent())


@pytest.fixture
def chexpert(tmp_path: Path) -> Path:
    """A table whose paths begin with the name of the folder that holds it."""
    images = [f"v1/train/p{n}/view1_frontal.png" for n in range(4)]
    rows = "".join(f"{image},{n}\n" for n, image in enumerate(images))
    plant(tmp_path, {"v1/train.csv": "Path,Age\n" + rows}, images)
    return tmp_path


def table_build(folder: Path, **more: object) -> None:
    options = BuildOptions.of(
        source=folder / "v1" / "train.csv", out=folder / "x.zarr", size=32, **more
    )
    run_build(options, ToyMaker(batch_size=1), Silent())


def test_a_root_that_fits_no_path_is_refused_and_the_right_one_named(chexpert) -> None:
    with pytest.raises(UsageError) as caught:
        table_build(chexpert)
    assert str(caught.value) == (
        "none of 4 files tried of 4 of table:train.csv is there, the first of them "
        f"v1/train/p0/view1_frontal.png below {chexpert / 'v1'}; the paths start from {chexpert}: "
        f"give --root {chexpert}"
    )
    assert not (chexpert / "x.zarr").exists()
    table_build(chexpert, root=chexpert)
    assert open_store(chexpert / "x.zarr").manifest["status"].to_pylist() == ["ok"] * 4


def test_a_root_below_is_named(chexpert) -> None:
    shutil.move(chexpert / "v1", chexpert / "images" / "v1")
    shutil.move(chexpert / "images" / "v1" / "train.csv", chexpert / "train.csv")
    options = BuildOptions(source=str(chexpert / "train.csv"), out=chexpert / "x.zarr")
    with pytest.raises(UsageError, match=rf"give --root {chexpert / 'images'}$"):
        run_build(options, ToyMaker(), Silent())


def test_a_prefix_that_no_folder_has_is_named(chexpert) -> None:
    (chexpert / "v1").rename(chexpert / "v2")
    options = BuildOptions(source=str(chexpert / "v2" / "train.csv"), out=chexpert / "x.zarr")
    with pytest.raises(UsageError, match="the paths start with v1/, which is not there, and fit"):
        run_build(options, ToyMaker(), Silent())


def test_nothing_anywhere_asks_for_a_root(tmp_path) -> None:
    (tmp_path / "t.csv").write_text("path\na.png\nb.png\n")
    options = BuildOptions(source=str(tmp_path / "t.csv"), out=tmp_path / "x.zarr")
    with pytest.raises(UsageError, match="the folder that the paths start from as --root"):
        run_build(options, ToyMaker(), Silent())


def test_one_file_is_enough(chexpert) -> None:
    shutil.rmtree(chexpert / "v1" / "train" / "p0")
    table_build(chexpert, root=chexpert)
    status = open_store(chexpert / "x.zarr").manifest["status"].to_pylist()
    assert status == ["failed", "ok", "ok", "ok"]
