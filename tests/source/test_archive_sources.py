import gzip
import io
import lzma
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dfsynth.errors import DfsynthError, ErrorCode, ImageError, UsageError
from dfsynth.source import open_source

LIMIT = 1 << 20
PARTS = st.text("abcé _-.", min_size=1, max_size=5).filter(lambda part: part.strip("."))
PATHS = st.lists(PARTS, min_size=1, max_size=3).map(lambda parts: "/".join(f"n{p}" for p in parts))

TarMode = Literal["w", "a"]


def write_tar(path: Path, files: dict[str, bytes], mode: TarMode = "w") -> Path:
    with tarfile.open(path, mode) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def write_zip(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def is_tree(names: set[str]) -> bool:
    return not any(other.startswith(name + "/") for name in names for other in names)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.dictionaries(PATHS, st.binary(min_size=1, max_size=700), min_size=1, max_size=8))
def test_tar_zip_and_folder_of_one_tree_agree(tmp_path_factory, ids_of, items_of, files) -> None:
    if not is_tree(set(files)):
        return
    folder = tmp_path_factory.mktemp("tree")
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    beside = tmp_path_factory.mktemp("archives")
    with tarfile.open(beside / "t.tar", "w") as tar:
        tar.add(folder, ".")
    archives = (write_tar(beside / "u.tar", files), write_zip(beside / "z.zip", files))
    expected = sorted(files, key=lambda name: name.encode())
    for path in (folder, beside / "t.tar", *archives):
        source = open_source(str(path), None)
        listing = source.listing()
        assert ids_of(listing) == expected
        again = open_source(str(path), None)
        assert [again.read(i, LIMIT) for i in items_of(listing)] == [files[n] for n in expected]


@pytest.mark.parametrize(
    "tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
)
def test_every_tar_format_gives_the_right_places(
    tmp_path, ids_of, items_of, real_png, tar_format
) -> None:
    long_name = "/".join(["folder" * 5] * 4) + "/Bild.png"
    with tarfile.open(tmp_path / "t.tar", "w", format=tar_format) as tar:
        for name in (long_name, "a.png"):
            member = tarfile.TarInfo(name)
            member.size = len(real_png)
            tar.addfile(member, io.BytesIO(real_png))
    source = open_source(str(tmp_path / "t.tar"), None)
    listing = source.listing()
    assert ids_of(listing) == ["a.png", long_name]
    assert [source.read(i, LIMIT) for i in items_of(listing)] == [real_png, real_png]


def test_tar_members_that_are_no_files(tmp_path, ids_of) -> None:
    path = tmp_path / "t.tar"
    with tarfile.open(path, "w") as tar:
        for name, kind in (
            ("a.png", tarfile.REGTYPE),
            ("folder", tarfile.DIRTYPE),
            ("soft.png", tarfile.SYMTYPE),
            ("hard.png", tarfile.LNKTYPE),
            ("pipe.png", tarfile.FIFOTYPE),
            (".hidden.png", tarfile.REGTYPE),
            ("folder/.git/b.png", tarfile.REGTYPE),
            ("list.csv", tarfile.REGTYPE),
            ("inner.tar.gz", tarfile.REGTYPE),
        ):
            member = tarfile.TarInfo(name)
            member.type = kind
            member.linkname = "a.png" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            tar.addfile(member)
    listing = open_source(str(path), None).listing()
    assert ids_of(listing) == ["a.png"]
    assert listing.excluded == {
        "link": 2,
        "not_a_regular_file": 1,
        "hidden": 2,
        "not_an_image_suffix:.csv": 1,
        "archive": 1,
    }
    assert any(warning.startswith("2 members are links") for warning in listing.warnings)


def test_sparse_members_are_left_out(tmp_path, ids_of) -> None:
    path = tmp_path / "t.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, headers in (
            ("a.png", {}),
            (
                "s.png",
                {"GNU.sparse.map": "0,1", "GNU.sparse.size": "9", "GNU.sparse.numblocks": "1"},
            ),
        ):
            member = tarfile.TarInfo(name)
            member.size = 1
            member.pax_headers = headers
            tar.addfile(member, io.BytesIO(b"1"))
    listing = open_source(str(path), None).listing()
    assert ids_of(listing) == ["a.png"]
    assert listing.excluded == {"sparse": 1}


@pytest.mark.parametrize("write", [write_tar, write_zip])
def test_dangerous_names_are_only_names(tmp_path, ids_of, items_of, write) -> None:
    suffix = ".tar" if write is write_tar else ".zip"
    path = write(
        tmp_path / f"x{suffix}", {"../../up.png": b"1", "/etc/a.png": b"2", "./b.png": b"3"}
    )
    source = open_source(str(path), None)
    listing = source.listing()
    assert ids_of(listing) == ["../../up.png", "/etc/a.png", "b.png"]
    assert [source.read(i, 9) for i in items_of(listing)] == [b"1", b"2", b"3"]
    assert sorted(p.name for p in tmp_path.rglob("*")) == [path.name]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("suffix", [".tar", ".zip"])
def test_a_name_that_comes_twice_is_refused(tmp_path, suffix) -> None:
    path = tmp_path / f"x{suffix}"
    if suffix == ".tar":
        write_tar(path, {"a.png": b"1"})
        write_tar(path, {"./a.png": b"2"}, "a")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.png", b"1")
            archive.writestr("a.png", b"2")
    with pytest.raises(UsageError, match=r"'a.png' \(2 times\)"):
        open_source(str(path), None).listing()


def test_tar_names_that_are_not_utf8_are_counted(tmp_path, ids_of) -> None:
    with tarfile.open(
        tmp_path / "t.tar", "w", encoding="latin-1", format=tarfile.USTAR_FORMAT
    ) as tar:
        for name in ("a.png", "bü.png", "ü/c.png"):
            tar.addfile(tarfile.TarInfo(name))
    listing = open_source(str(tmp_path / "t.tar"), None).listing()
    assert ids_of(listing) == ["a.png"]
    assert listing.excluded == {"undecodable_name": 2}


def test_damage_in_the_middle_of_a_tar_is_not_its_end(tmp_path) -> None:
    path = write_tar(tmp_path / "t.tar", {f"{i}.png": b"1" * 600 for i in range(4)})
    content = bytearray(path.read_bytes())
    content[2 * 1536 + 20] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DfsynthError, match="damaged") as caught:
        open_source(str(path), None).listing()
    assert caught.value.exit_status == 1


def test_a_tar_cut_inside_a_member_is_damaged(tmp_path) -> None:
    path = write_tar(tmp_path / "t.tar", {f"{i}.png": b"1" * 600 for i in range(4)})
    path.write_bytes(path.read_bytes()[: 3 * 1536 + 512 + 100])
    with pytest.raises(DfsynthError, match="damaged"):
        open_source(str(path), None).listing()


def test_a_tar_without_its_end_mark_is_listed_with_a_warning(tmp_path, ids_of) -> None:
    path = write_tar(tmp_path / "t.tar", {f"{i}.png": b"1" * 600 for i in range(4)})
    path.write_bytes(path.read_bytes()[: 3 * 1536])
    listing = open_source(str(path), None).listing()
    assert ids_of(listing) == ["0.png", "1.png", "2.png"]
    assert "no end mark" in listing.warnings[0]


@pytest.mark.parametrize("name", ["x.tar", "x.zip"])
def test_what_is_no_archive_is_reported(tmp_path, name, real_png) -> None:
    (tmp_path / name).write_bytes(real_png)
    with pytest.raises(DfsynthError, match=f"{name} is damaged or is no"):
        open_source(str(tmp_path / name), None).listing()


def test_the_content_says_how_a_tar_is_compressed(tmp_path, ids_of, items_of) -> None:
    path = write_tar(tmp_path / "t.tar", {"a.png": b"1"})
    plain = path.read_bytes()
    path.write_bytes(gzip.compress(plain))
    source = open_source(str(path), None)
    assert [source.read(item, LIMIT) for item in items_of(source.listing())] == [b"1"]
    path.write_bytes(lzma.compress(plain))
    with pytest.raises(UsageError, match="compressed, and not by gzip"):
        open_source(str(path), None).listing()


@pytest.mark.parametrize("name", ["e.tar", "e.zip"])
def test_an_archive_without_images_is_reported(tmp_path, name) -> None:
    write = write_tar if name.endswith(".tar") else write_zip
    path = write(tmp_path / name, {"a.csv": b"1"})
    with pytest.raises(UsageError, match=r"no images.*not_an_image_suffix:\.csv"):
        open_source(str(path), None).listing()


@pytest.mark.parametrize("name", ["f.tar", "f.zip"])
def test_faults_of_one_member(tmp_path, items_of, name) -> None:
    write = write_tar if name.endswith(".tar") else write_zip
    path = write(tmp_path / name, {"empty.png": b"", "large.png": b"12345"})
    source = open_source(str(path), None)
    empty, large = items_of(source.listing())
    for item, code in ((empty, ErrorCode.EMPTY), (large, ErrorCode.TOO_LARGE)):
        with pytest.raises(ImageError) as caught:
            source.read(item, 4)
        assert caught.value.code is code
    assert source.read(large, 5) == b"12345"


def test_a_tar_that_was_cut_after_planning(tmp_path, items_of) -> None:
    path = write_tar(tmp_path / "t.tar", {"a.png": b"12345"})
    source = open_source(str(path), None)
    (item,) = items_of(source.listing())
    path.write_bytes(path.read_bytes()[:514])
    with pytest.raises(ImageError) as caught:
        source.read(item, 10)
    assert caught.value.code is ErrorCode.TRUNCATED
    path.unlink()
    with pytest.raises(DfsynthError, match="cannot open the archive"):
        source.read(item, 10)


def test_encrypted_and_unknown_members_of_a_zip_fail_alone(tmp_path, items_of, real_png) -> None:
    path = write_zip(tmp_path / "z.zip", {"a.png": real_png, "b.png": real_png, "c.png": real_png})
    content = bytearray(path.read_bytes())
    entries = [i for i in range(len(content)) if content[i : i + 4] == b"PK\x01\x02"]
    content[entries[0] + 8] |= 1
    content[entries[1] + 10] = 99
    path.write_bytes(content)
    source = open_source(str(path), None)
    encrypted, unknown, sound = items_of(source.listing())
    for item, words in ((encrypted, "encrypted"), (unknown, "compressed by method 99")):
        with pytest.raises(ImageError, match=words) as caught:
            source.read(item, LIMIT)
        assert caught.value.code is ErrorCode.UNREADABLE
    assert source.read(sound, LIMIT) == real_png


def test_a_damaged_member_of_a_zip_is_corrupt(tmp_path, items_of, real_png) -> None:
    path = write_zip(tmp_path / "z.zip", {"a.png": real_png}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[200] ^= 0xFF
    path.write_bytes(content)
    source = open_source(str(path), None)
    (item,) = items_of(source.listing())
    with pytest.raises(ImageError) as caught:
        source.read(item, LIMIT)
    assert caught.value.code is ErrorCode.CORRUPT


def test_links_in_a_zip_are_left_out(tmp_path, ids_of) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("a.png", b"1")
        archive.writestr("folder/", b"")
        link = zipfile.ZipInfo("link.png")
        link.create_system = 3
        link.external_attr = 0o120777 << 16
        archive.writestr(link, b"a.png")
    listing = open_source(str(tmp_path / "z.zip"), None).listing()
    assert ids_of(listing) == ["a.png"]
    assert listing.excluded == {"link": 1}


def test_a_member_that_is_gone_is_missing(tmp_path, items_of) -> None:
    source = open_source(str(write_zip(tmp_path / "z.zip", {"a.png": b"1"})), None)
    (item,) = items_of(source.listing())
    with pytest.raises(ImageError) as caught:
        source.read(replace(item, uri="b.png"), 10)
    assert caught.value.code is ErrorCode.MISSING


@pytest.mark.parametrize("name", ["t.tar", "t.zip"])
def test_reading_from_many_threads(tmp_path, items_of, name) -> None:
    files = {f"{i:03d}.png": bytes([i]) * (5000 + i) for i in range(60)}
    write = write_tar if name.endswith(".tar") else write_zip
    source = open_source(str(write(tmp_path / name, files)), None)
    items = list(items_of(source.listing())) * 5
    with ThreadPoolExecutor(8) as pool:
        contents = list(pool.map(lambda item: source.read(item, LIMIT), items))
    assert contents == [files[item.image_id] for item in items]


def test_names_of_archives_hold_no_path(tmp_path) -> None:
    tar = open_source(str(write_tar(tmp_path / "t.tar", {"a": b"1"})), None)
    packed = open_source(str(write_zip(tmp_path / "z.zip", {"a": b"1"})), None)
    assert (tar.name, packed.name) == ("tar:t.tar", "zip:z.zip")
    assert (tar.license, packed.license) == ("unknown", "unknown")
