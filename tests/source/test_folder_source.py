import os
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dfsynth.errors import DfsynthError, ErrorCode, ImageError, UsageError
from dfsynth.records import SourceItem
from dfsynth.source import open_source
from dfsynth.source import order as order_module

PARTS = st.text("ab.- é", max_size=4).map(lambda text: f"n{text}")
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)


def is_tree(names: set[str]) -> bool:
    return not any(other.startswith(name + "/") for name in names for other in names)


def item(uri: str) -> SourceItem:
    return SourceItem(row=0, shard=0, image_id=uri, uri=uri)


def test_rows_and_reasons(make_tree, ids_of, real_png) -> None:
    root = make_tree(
        {
            "b.png": real_png,
            "a/x.dcm": b"no DICOM at all",
            "a.png": b"",
            "a-b/y": b"no suffix",
            "Thumbs.db": b"1",
            ".hidden.png": b"1",
            ".git/config": b"1",
            ".git/objects/x.png": b"1",
            "labels.csv": b"1",
            "LABELS.CSV": b"1",
            "a/notes.txt": b"1",
            "a/report.json": b"1",
            "x.toml": b"1",
            "README.md": b"1",
            "page.html": b"1",
        }
    )
    listing = open_source(str(root), None).listing()
    assert ids_of(listing) == ["Thumbs.db", "a-b/y", "a.png", "a/x.dcm", "b.png"]
    assert listing.excluded == {
        "hidden": 1,
        "hidden_folder": 1,
        "not_an_image_suffix:.csv": 2,
        "not_an_image_suffix:.txt": 1,
        "not_an_image_suffix:.json": 1,
        "not_an_image_suffix:.toml": 1,
        "not_an_image_suffix:.md": 1,
        "not_an_image_suffix:.html": 1,
    }
    assert listing.warnings == ()
    assert listing.table.column("uri").equals(listing.table.column("image_id"))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(PATHS, min_size=1, max_size=12).filter(is_tree), seed=st.integers(0, 99))
def test_order_is_that_of_bytes_and_not_of_creation(tmp_path_factory, ids_of, names, seed) -> None:
    created = sorted(names)
    random.Random(seed).shuffle(created)
    root = tmp_path_factory.mktemp("tree")
    for name in created:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"1")
    expected = sorted(names, key=lambda path: path.encode())
    assert ids_of(open_source(str(root), None).listing()) == expected


def test_folders_between_files_keep_the_order_of_bytes(make_tree, ids_of, monkeypatch) -> None:
    names = [
        "a!x/1",
        "a",
        "a.png",
        "a/1",
        "a0/1",
        "b",
        "c.png/1",
        "c.png0",
        "z/z/z",
        "é/1",
        "é.png",
    ]
    names.remove("a/1")
    names += [f"m{i:03d}.png" for i in range(30)] + [f"m{i:03d}/x.png" for i in range(0, 30, 3)]
    root = make_tree(dict.fromkeys(names, b"1"))
    expected = sorted(names, key=lambda name: name.encode())
    assert ids_of(open_source(str(root), None).listing()) == expected
    monkeypatch.setattr(order_module, "CHUNK_ROWS", 4)
    assert ids_of(open_source(str(root), None).listing()) == expected


def test_stores_inside_are_left_out_whole(make_tree, ids_of) -> None:
    root = make_tree(
        {
            "a.png": b"1",
            "out.zarr/zarr.json": b"{}",
            "out.zarr/run/build.json": b"{}",
            "out.zarr/dark_field/c/0/0/0": b"1",
            "half.zarr/run/lock": b"1",
            "renamed/zarr.json": b"{}",
            "renamed/lung/c/0/0/0": b"1",
            "x.h5": b"1",
            "x.h5.parts/run/build.json": b"{}",
            "x.h5.parts/part-0.h5": b"1",
            "y.h5": b"an input like any other",
        }
    )
    listing = open_source(str(root), None).listing()
    assert ids_of(listing) == ["a.png", "y.h5"]
    assert listing.excluded == {"store": 5}


def test_archives_inside_are_left_out_with_advice(make_tree, ids_of) -> None:
    names = [f"images_{i:03d}.tar.gz" for i in range(1, 6)] + ["x.zip", "y.tar", "z.TGZ"]
    root = make_tree({"a.png": b"1", **dict.fromkeys(names, b"1"), "real.dcm.gz": b"1"})
    listing = open_source(str(root), None).listing()
    assert ids_of(listing) == ["a.png", "real.dcm.gz"]
    assert listing.excluded == {"archive": 8}
    assert (
        "images_001.tar.gz, images_002.tar.gz, images_003.tar.gz and 5 more" in listing.warnings[0]
    )
    assert "unpack them" in listing.warnings[0]


def test_tables_beside_images_are_no_images(make_tree, ids_of) -> None:
    tables = ["a.csv.gz", "b.tsv", "c.parquet", "d.TSV.GZ", "e.xlsx", "f.jsonl", "g.yaml", "h.cls"]
    root = make_tree({"a.png": b"1", "b.dcm.gz": b"1", **dict.fromkeys(tables, b"1")})
    listing = open_source(str(root), None).listing()
    assert ids_of(listing) == ["a.png", "b.dcm.gz"]
    suffixes = (".csv.gz", ".tsv", ".parquet", ".tsv.gz", ".xlsx", ".jsonl", ".yaml", ".cls")
    assert listing.excluded == {f"not_an_image_suffix:{suffix}": 1 for suffix in suffixes}


def test_links_that_double_the_inputs_at_each_level_are_followed_once(make_tree, ids_of) -> None:
    depth = 12
    root = make_tree({f".levels/{depth}/a.png": b"1"})
    for level in range(depth):
        (root / ".levels" / str(level)).mkdir()
        for side in "lr":
            (root / ".levels" / str(level) / side).symlink_to(root / ".levels" / str(level + 1))
    (root / "top").symlink_to(root / ".levels" / "0")
    listing = open_source(str(root), None).listing()
    assert ids_of(listing) == ["top/" + "l/" * depth + "a.png"]
    assert listing.excluded == {"hidden_folder": 1, "linked_twice": depth}
    assert any("are read already" in warning for warning in listing.warnings)


def test_links_are_followed_and_loops_end(make_tree, tmp_path, ids_of) -> None:
    root = make_tree({"real/a.png": b"1"})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.png").write_bytes(b"2")
    (root / "linked").symlink_to(elsewhere, target_is_directory=True)
    (root / "real" / "up").symlink_to(root, target_is_directory=True)
    (elsewhere / "back").symlink_to(root / "real", target_is_directory=True)
    (root / "c.png").symlink_to(elsewhere / "b.png")
    (root / "broken.png").symlink_to(elsewhere / "gone.png")
    (root / "self.png").symlink_to(root / "self.png")
    source = open_source(str(root), None)
    listing = source.listing()
    assert ids_of(listing) == [
        "broken.png",
        "c.png",
        "linked/b.png",
        "linked/back/a.png",
        "real/a.png",
        "self.png",
    ]
    assert listing.excluded == {"link_loop": 2}
    assert any("lead back" in warning for warning in listing.warnings)
    assert source.read(item("c.png"), 10) == b"2"
    for name, code in (("broken.png", ErrorCode.MISSING), ("self.png", ErrorCode.UNREADABLE)):
        with pytest.raises(ImageError) as caught:
            source.read(item(name), 10)
        assert caught.value.code is code


def test_names_that_are_not_utf8_are_counted(make_tree, ids_of) -> None:
    root = make_tree({"a.png": b"1", "Röntgen/Bild 1.png": b"1"})
    try:
        Path(os.fsdecode(os.fsencode(root) + b"/b\xff.png")).write_bytes(b"1")
        Path(os.fsdecode(os.fsencode(root) + b"/c\xff")).mkdir()
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    listing = open_source(str(root), None).listing()
    assert ids_of(listing) == ["Röntgen/Bild 1.png", "a.png"]
    assert listing.excluded == {"undecodable_name": 2}
    assert "not UTF-8" in listing.warnings[0]


def test_pipes_are_left_out_and_never_block(make_tree, ids_of) -> None:
    root = make_tree({"a.png": b"1"})
    os.mkfifo(root / "pipe.png")
    source = open_source(str(root), None)
    listing = source.listing()
    assert ids_of(listing) == ["a.png"]
    assert listing.excluded == {"not_a_regular_file": 1}
    with pytest.raises(ImageError) as caught:
        source.read(item("pipe.png"), 10)
    assert caught.value.code is ErrorCode.UNREADABLE


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_folder_is_reported(make_tree, ids_of) -> None:
    root = make_tree({"a.png": b"1", "shut/b.png": b"1"})
    (root / "shut").chmod(0)
    try:
        listing = open_source(str(root), None).listing()
    finally:
        (root / "shut").chmod(0o700)
    assert ids_of(listing) == ["a.png"]
    assert listing.excluded == {"unreadable_folder": 1}


def test_no_images_says_what_was_found(make_tree) -> None:
    root = make_tree({"a.csv": b"1", ".x": b"1", "images_001.tar.xz": b"1"})
    with pytest.raises(UsageError) as caught:
        open_source(str(root), None).listing()
    message = str(caught.value)
    assert "no images" in message
    assert "1 × archive, 1 × hidden, 1 × not_an_image_suffix:.csv" in message
    assert "unpack them" in message


def test_empty_folder_is_reported(tmp_path) -> None:
    with pytest.raises(UsageError, match=r"no images in the folder .* found nothing"):
        open_source(str(tmp_path), None).listing()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("empty.png", ErrorCode.EMPTY),
        ("large.png", ErrorCode.TOO_LARGE),
        ("gone.png", ErrorCode.MISSING),
        ("large.png/below", ErrorCode.MISSING),
        ("folder", ErrorCode.UNREADABLE),
        ("nul\0.png", ErrorCode.UNREADABLE),
    ],
)
def test_faults_of_one_file(make_tree, name, code) -> None:
    root = make_tree({"empty.png": b"", "large.png": b"12345", "folder/x.png": b"1"})
    source = open_source(str(root), None)
    with pytest.raises(ImageError) as caught:
        source.read(item(name), 4)
    assert caught.value.code is code
    assert str(root) not in str(caught.value)


def test_a_file_of_exactly_the_limit_is_read(make_tree, real_png) -> None:
    source = open_source(str(make_tree({"a.png": real_png})), None)
    assert source.read(item("a.png"), len(real_png)) == real_png


def test_a_lost_root_is_no_fault_of_its_images(make_tree) -> None:
    root = make_tree({"a.png": b"1"})
    source = open_source(str(root), None)
    root.rename(root.with_name("moved"))
    with pytest.raises(DfsynthError, match="is gone"):
        source.read(item("a.png"), 10)


def test_name_and_licence_hold_no_path(make_tree) -> None:
    source = open_source(str(make_tree({"a.png": b"1"})), None)
    assert (source.name, source.license) == ("folder:tree", "unknown")
