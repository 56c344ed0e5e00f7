"""Folders that hold nothing but archives, as corpora are handed out in numbered parts."""

import gzip
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tar_files import tar_of

from dfsynth.errors import DfsynthError, ErrorCode, ImageError
from dfsynth.source import container_folder, open_source

LIMIT = 1 << 20


def write_archive(path: Path, files: Mapping[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return
    plain = tar_of(files)
    path.write_bytes(plain if path.suffix == ".tar" else gzip.compress(plain))


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    """The same member name in every part, and a table beside them."""
    root = tmp_path / "parts"
    for name in ("0.zip", "1.zip", "10.zip", "more/2.tar", "more/3.tar.gz", "more/4.tgz"):
        write_archive(root / name, {"b.png": name.encode(), "a.png": b"a " + name.encode()})
    (root / "labels.csv.gz").write_bytes(b"1")
    return root


def test_every_member_of_every_archive_is_an_image(archives, ids_of, items_of) -> None:
    source = open_source(str(archives), None)
    listing = source.listing()
    assert source.name == "folder:parts"
    assert ids_of(listing) == [
        *(f"{zip_}.zip/{name}.png" for zip_ in (0, 1, 10) for name in "ab"),
        "more/2.tar/a.png",
        "more/2.tar/b.png",
        *(f"more/{tar}/{name}.png" for tar in ("3.tar.gz", "4.tgz") for name in "ba"),
    ]
    assert listing.excluded == {"not_an_image_suffix:.csv.gz": 1}
    assert listing.warnings == ()
    again = open_source(str(archives), None)
    for item in items_of(listing):
        archive = item.image_id.rpartition("/")[0]
        expected = archive if item.image_id.endswith("b.png") else f"a {archive}"
        assert again.read(item, LIMIT) == expected.encode()


def test_few_archives_stay_open_and_threads_share_them(archives, items_of, monkeypatch) -> None:
    monkeypatch.setattr(container_folder, "_MOST_OPEN", 1)
    source = open_source(str(archives), None)
    items = [*items_of(source.listing())] * 8
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda item: source.read(item, LIMIT), items))
    assert found[: len(found) // 8] * 8 == found
    assert len(set(found)) == 12


def test_archives_that_cannot_be_read_in_place_are_named(archives, ids_of) -> None:
    (archives / "5.tar.xz").write_bytes(b"1")
    listing = open_source(str(archives), None).listing()
    assert len(ids_of(listing)) == 12
    assert listing.excluded["archive"] == 1
    (warning,) = listing.warnings
    assert "not read: 5.tar.xz; unpack them" in warning


def test_one_bad_member_is_one_failed_row(archives, items_of) -> None:
    path = archives / "1.zip"
    content = bytearray(path.read_bytes())
    content[content.index(b"a 1.zip")] ^= 1
    path.write_bytes(content)
    source = open_source(str(archives), None)
    failed = []
    for item in items_of(source.listing()):
        try:
            source.read(item, LIMIT)
        except ImageError as error:
            failed.append((item.image_id, error.code))
    assert failed == [("1.zip/a.png", ErrorCode.CORRUPT)]


def test_a_damaged_archive_among_many_is_named(archives) -> None:
    (archives / "more" / "3.tar.gz").write_bytes(b"\x1f\x8b\x08 no gzip")
    with pytest.raises(DfsynthError, match=r"the archive 3\.tar\.gz is damaged"):
        open_source(str(archives), None).listing()


def test_a_lost_archive_ends_the_run(archives, items_of) -> None:
    items = list(items_of(open_source(str(archives), None).listing()))
    for path in archives.rglob("*.*"):
        path.unlink()
    source = open_source(str(archives), None)
    for item in items:
        with pytest.raises(DfsynthError, match="cannot open the archive") as caught:
            source.read(item, LIMIT)
        assert not isinstance(caught.value, ImageError)


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("train-00000-of-00002.parquet", "train"),
        ("data/validation-0.parquet", "validation"),
        ("cxr_val_12.tar", "validation"),
        ("test/0.zip", "test"),
        ("Training.zip", "train"),
        ("train_test.zip", None),
        ("0.zip", None),
        ("contest.tar", None),
        ("trainees.tar", None),
    ],
)
def test_splits_by_the_words_of_a_path(path, split) -> None:
    assert container_folder.split_of(path) == split
