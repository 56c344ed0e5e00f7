import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from dfsynth.source import open_source


def write_source(folder: Path, name: str) -> Path:
    """A source of one image, of the kind that the suffix of `name` says."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    if path.suffix == ".tar":
        with tarfile.open(path, "w") as tar:
            tar.addfile(tarfile.TarInfo("a.png"))
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.png", b"1")
    elif path.suffix == ".csv":
        path.write_text("path\na.png\n")
    else:
        path.mkdir()
        (path / "a.png").write_bytes(b"1")
    return path


@pytest.mark.parametrize(
    ("name", "other", "identity"),
    [
        ("chests", "wrists", "folder:chests"),
        ("a.csv", "b.csv", "table:a.csv"),
        ("a.tar", "b.tar", "tar:a.tar"),
        ("a.zip", "b.zip", "zip:a.zip"),
    ],
)
def test_another_source_has_another_name_and_a_moved_one_the_same(
    tmp_path, monkeypatch, name, other, identity
) -> None:
    here = write_source(tmp_path / "here", name)
    there = write_source(tmp_path / "there", name)
    beside = write_source(tmp_path / "here", other)
    names = [open_source(str(path), None).name for path in (here, there, beside)]
    assert names[0] == names[1] == identity
    assert names[2] != identity
    monkeypatch.chdir(tmp_path / "here")
    assert open_source(name, None).name == identity


def test_a_folder_is_known_however_it_is_written(tmp_path, monkeypatch) -> None:
    folder = write_source(tmp_path, "chests")
    (folder / "below").mkdir()
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    monkeypatch.chdir(folder)
    for spec in (".", "./", "below/..", "../chests/", str(tmp_path / "link")):
        assert open_source(spec, None).name == "folder:chests"


def test_the_root_of_all_folders_has_a_name_too() -> None:
    assert open_source("/", None).name == "folder:/"


def test_a_table_keeps_its_name_under_another_root(tmp_path) -> None:
    table = write_source(tmp_path, "a.csv")
    root = write_source(tmp_path, "chests")
    assert open_source(str(table), root).name == "table:a.csv"


@pytest.mark.parametrize("suffix", ["", ".csv", ".tar", ".zip"])
def test_names_that_are_not_utf8_can_be_stored(tmp_path, suffix) -> None:
    path = write_source(tmp_path, os.fsdecode(b"k\xe4fig" + suffix.encode()))
    name = open_source(str(path), None).name
    assert name.encode().decode().endswith(f":k\\xe4fig{suffix}")
