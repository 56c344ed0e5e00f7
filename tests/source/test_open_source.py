from pathlib import Path

import pytest

from dfsynth.errors import ExitStatus, UsageError
from dfsynth.source import open_source


def test_unknown_names_come_with_the_nearest(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        open_source("nhi", tmp_path)
    assert "unknown source 'nhi'" in str(caught.value)
    assert "did you mean nih?" in str(caught.value)
    assert "known corpora are " in str(caught.value)
    assert caught.value.exit_status is ExitStatus.USAGE


@pytest.mark.parametrize("spec", ["", "no/such/folder", "gone.tar"])
def test_nothing_there(tmp_path, monkeypatch, spec) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=f"unknown source '{spec}'"):
        open_source(spec, None)


def test_a_corpus_needs_its_root() -> None:
    with pytest.raises(UsageError, match="the corpus nih needs --root"):
        open_source("nih", None)


def test_a_root_that_is_not_there(tmp_path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        open_source("nih", tmp_path / "gone")


@pytest.mark.parametrize("name", ["X.TAR.XZ", "x.tar.bz2", "x.tar.zst", "x.tbz2"])
def test_compressed_tars_are_named_with_advice(tmp_path, name) -> None:
    (tmp_path / name).write_bytes(b"1")
    with pytest.raises(UsageError) as caught:
        open_source(str(tmp_path / name), None)
    assert f"the archive {name} is compressed, and not by gzip" in str(caught.value)
    assert "unpack it" in str(caught.value)


@pytest.mark.parametrize("name", ["x.png", "x.dcm", "x.gz", "x"])
def test_other_files_are_no_source(tmp_path, name) -> None:
    (tmp_path / name).write_bytes(b"1")
    with pytest.raises(UsageError, match=r"is no source.*give the folder that holds it"):
        open_source(str(tmp_path / name), None)


def test_the_name_of_a_corpus_wins_over_a_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nih").mkdir()
    Path("nih/a.png").write_bytes(b"1")
    assert open_source("nih", tmp_path).name == "nih"
    assert open_source("./nih", None).name == "folder:nih"


def test_a_relative_folder_is_looked_for_below_the_root(tmp_path, monkeypatch, ids_of) -> None:
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "data" / "images" / "a.png").write_bytes(b"1")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    listing = open_source("images", tmp_path / "data").listing()
    assert ids_of(listing) == ["a.png"]


def test_only_shards_have_columns(tmp_path) -> None:
    (tmp_path / "x.tar").write_bytes(b"1")
    with pytest.raises(UsageError, match=r"x\.tar has no columns: found ::image behind it"):
        open_source(f"{tmp_path}/x.tar::image", None)
