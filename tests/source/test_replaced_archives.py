import io
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dfsynth.errors import DfsynthError, ErrorCode, ImageError
from dfsynth.source import open_source

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
LIMIT = 1 << 20
LONG = "/".join(["folder" * 5] * 4)
FILES = {f"{name}.png": f"content {i}".encode() for i, name in enumerate("hgfedcba")}
PARTS = st.text("abé漢 _-.", min_size=1, max_size=40).filter(lambda part: part.strip("."))
PATHS = st.lists(PARTS, min_size=1, max_size=6).map(lambda parts: "/".join(f"n{p}" for p in parts))


def write_tar(path: Path, files: Mapping[str, bytes], form: str = "gnu", mangle: bool = False):
    with tarfile.open(path, "w", format=FORMATS[form]) as tar:
        for number, (name, content) in enumerate(files.items()):
            member = tarfile.TarInfo(f"mangled/{number % 2}" if mangle else name)
            member.pax_headers = {"path": name} if mangle else {}
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def backwards(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return dict(reversed(list(files.items())))


def fits_ustar(name: str) -> bool:
    try:
        tarfile.TarInfo(name).tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict")
    except ValueError:
        return False
    return True


def assert_reads(source, items, files: Mapping[str, bytes]) -> None:
    assert {item.image_id: source.read(item, LIMIT) for item in items} == files


def assert_refused(source, items) -> None:
    for item in items:
        with pytest.raises(DfsynthError, match="is not the one that was planned") as caught:
            source.read(item, LIMIT)
        assert not isinstance(caught.value, ImageError)
        assert "--out" in str(caught.value)
        assert "--overwrite" in str(caught.value)
        assert item.image_id not in str(caught.value)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("prefix", ["", "./", "größe/", f"{LONG}/", f"{LONG}/größe/", f"./{LONG}/"])
def test_a_tar_in_another_order_gives_no_other_patients_bytes(
    tmp_path, items_of, form, prefix
) -> None:
    files = {prefix + name: content for name, content in FILES.items()}
    path = write_tar(tmp_path / "t.tar", files, form)
    source = open_source(str(path), None)
    items = list(items_of(source.listing()))
    contents = {name.removeprefix("./"): content for name, content in files.items()}
    assert_reads(source, items, contents)
    write_tar(path, backwards(files), form)
    assert_refused(source, items)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(PATHS, min_size=1, max_size=6, unique=True), form=st.sampled_from([*FORMATS]))
def test_every_name_of_every_format_is_found_again(tmp_path_factory, items_of, names, form) -> None:
    files = {
        name: bytes([i]) * 9 for i, name in enumerate(names) if form != "ustar" or fits_ustar(name)
    }
    if not files:
        return
    path = write_tar(tmp_path_factory.mktemp("tar") / "t.tar", files, form)
    source = open_source(str(path), None)
    items = list(items_of(source.listing()))
    assert_reads(source, items, files)


def test_only_the_pax_header_may_hold_the_name(tmp_path, items_of) -> None:
    """As BSD tar and others write it: the short name is not the beginning of the long one."""
    path = write_tar(tmp_path / "t.tar", FILES, "pax", mangle=True)
    source = open_source(str(path), None)
    items = list(items_of(source.listing()))
    assert_reads(source, items, FILES)
    write_tar(path, backwards(FILES), "pax", mangle=True)
    assert_refused(source, items)


def test_large_pax_headers_are_read(tmp_path, items_of) -> None:
    with tarfile.open(tmp_path / "t.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in FILES.items():
            member = tarfile.TarInfo(f"größe/{name}")
            member.size = len(content)
            member.pax_headers = {"SCHILY.xattr.user.note": "x" * 20_000}
            tar.addfile(member, io.BytesIO(content))
    source = open_source(str(tmp_path / "t.tar"), None)
    items = items_of(source.listing())
    assert_reads(source, items, {f"größe/{name}": content for name, content in FILES.items()})


@pytest.mark.skipif(shutil.which("tar") is None, reason="needs the command tar")
@pytest.mark.parametrize("form", ["v7", "oldgnu", "gnu", "ustar", "posix"])
def test_what_the_command_tar_writes(tmp_path, items_of, form) -> None:
    names = ["a.png", "größe/b.png"]
    if form != "v7":
        names.append(f"{LONG}/größe.png")
    for number, name in enumerate(names):
        (tmp_path / "files" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "files" / name).write_bytes(bytes([number]) * 700)
    command = ["tar", f"--format={form}", "-cf", tmp_path / "t.tar", "-C", tmp_path / "files", "."]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip(f"this tar does not write {form}")
    source = open_source(str(tmp_path / "t.tar"), None)
    expected = {name: bytes([number]) * 700 for number, name in enumerate(names)}
    assert_reads(source, items_of(source.listing()), expected)


@pytest.mark.parametrize("kind", [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.FIFOTYPE])
def test_what_became_another_kind_of_member_is_refused(tmp_path, items_of, kind) -> None:
    path = write_tar(tmp_path / "t.tar", {"a.png": b"12345"})
    source = open_source(str(path), None)
    items = list(items_of(source.listing()))
    with tarfile.open(path, "w") as tar:
        member = tarfile.TarInfo("a.png")
        member.type = kind
        tar.addfile(member)
    assert_refused(source, items)


@pytest.mark.parametrize("content", [b"1234", b"123456", b""])
def test_another_size_under_the_same_name_is_refused(tmp_path, items_of, content) -> None:
    path = write_tar(tmp_path / "t.tar", {"a.png": b"12345"})
    source = open_source(str(path), None)
    items = list(items_of(source.listing()))
    write_tar(path, {"a.png": content})
    assert_refused(source, items)


def test_an_archive_that_ends_before_the_member_or_holds_no_header_is_refused(
    tmp_path, items_of
) -> None:
    path = write_tar(tmp_path / "t.tar", FILES)
    source = open_source(str(path), None)
    items = list(items_of(source.listing()))
    for content in (b"", b"\xff" * path.stat().st_size, b"\0" * path.stat().st_size):
        path.write_bytes(content)
        assert_refused(source, items)


def test_a_zip_in_another_order_still_gives_each_its_own(tmp_path, items_of) -> None:
    for order in (FILES, backwards(FILES)):
        with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
            for name, content in order.items():
                archive.writestr(name, content)
        if order is FILES:
            items = list(items_of(open_source(str(tmp_path / "z.zip"), None).listing()))
    assert_reads(open_source(str(tmp_path / "z.zip"), None), items, FILES)


def test_a_plan_of_a_place_that_cannot_be_is_refused(tmp_path, items_of) -> None:
    source = open_source(str(write_tar(tmp_path / "t.tar", FILES)), None)
    item = next(iter(items_of(source.listing())))
    assert_refused(source, [replace(item, offset=offset) for offset in (0, 511, 513, 1 << 40)])
    with pytest.raises(ImageError) as caught:
        source.read(replace(item, offset=None), LIMIT)
    assert caught.value.code is ErrorCode.UNREADABLE
