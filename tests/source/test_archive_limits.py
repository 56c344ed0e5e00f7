"""Archives that are damaged or lie about sizes: one clear error, never more bytes than asked."""

import gzip
import io
import os
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tar_files import tar_of
from traced_memory import peak_bytes

from dfsynth.errors import DfsynthError, ErrorCode, ImageError
from dfsynth.records import SourceItem
from dfsynth.source import Listing, open_source
from dfsynth.source.tar_header import ForwardFile

ItemsOf = Callable[[Listing], Iterable[SourceItem]]
LIMIT = 1 << 20
DIRECTORY_ENTRY = b"PK\x01\x02"
FILES = {"a.png": bytes(range(100)), "b.png": bytes(range(200))}
WITH_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def zip_of(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def claim_in_zip(data: bytes, size_bytes: int) -> bytes:
    """The same zip, whose directory says that its first member inflates to so many bytes."""
    at = data.index(DIRECTORY_ENTRY) + 24
    return data[:at] + struct.pack("<I", size_bytes) + data[at + 4 :]


def claim_in_tar(data: bytes, size_bytes: int) -> bytes:
    """The same tar, whose first header says that its member has so many bytes."""
    claim = (b"\x80", size_bytes) if size_bytes >= 0 else (b"\xff", (1 << 88) + size_bytes)
    return with_checksum(data[:124] + claim[0] + claim[1].to_bytes(11, "big") + data[136:])


def with_checksum(data: bytes) -> bytes:
    """The same tar with the sum that belongs to its first header."""
    total = sum(data[:148] + b" " * 8 + data[156:512])
    return data[:148] + b"%06o\0 " % total + data[156:]


def code_of(path: Path, items_of: ItemsOf, max_bytes: int = LIMIT) -> ErrorCode:
    """How reading the first member fails."""
    source = open_source(str(path), None)
    with pytest.raises(ImageError) as caught:
        source.read(next(iter(items_of(source.listing()))), max_bytes)
    return caught.value.code


def test_a_member_that_inflates_beyond_the_limit_is_not_inflated(
    tmp_path: Path, items_of: ItemsOf
) -> None:
    path = tmp_path / "z.zip"
    path.write_bytes(zip_of({"black.png": bytes(4_000_000)}))
    codes: list[ErrorCode] = []
    peak = peak_bytes(lambda: codes.append(code_of(path, items_of, 100_000)))
    assert codes == [ErrorCode.TOO_LARGE]
    assert peak < 1_000_000


@pytest.mark.parametrize("claimed", [1, 100, 99_999])
def test_a_member_never_gives_more_than_its_directory_says(
    tmp_path: Path, items_of: ItemsOf, claimed: int
) -> None:
    path = tmp_path / "z.zip"
    path.write_bytes(claim_in_zip(zip_of({"black.png": bytes(4_000_000)}), claimed))
    codes: list[ErrorCode] = []
    peak = peak_bytes(lambda: codes.append(code_of(path, items_of, 100_000)))
    assert codes == [ErrorCode.CORRUPT]
    assert peak < 1_000_000


@pytest.mark.parametrize(
    ("claimed", "code"),
    [(101, ErrorCode.TRUNCATED), (LIMIT, ErrorCode.TRUNCATED), (LIMIT + 1, ErrorCode.TOO_LARGE)],
)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_that_claims_more_than_it_holds(
    tmp_path: Path, items_of: ItemsOf, method: int, claimed: int, code: ErrorCode
) -> None:
    path = tmp_path / "z.zip"
    path.write_bytes(claim_in_zip(zip_of(FILES, method), claimed))
    assert code_of(path, items_of) == code


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_inflate_without_a_limit_are_refused(
    tmp_path: Path, items_of: ItemsOf, method: int
) -> None:
    """Python inflates whole blocks of these, whatever number of bytes is asked for."""
    path = tmp_path / "z.zip"
    path.write_bytes(claim_in_zip(zip_of({"black.png": bytes(4_000_000)}, method), 100))
    codes: list[ErrorCode] = []
    peak = peak_bytes(lambda: codes.append(code_of(path, items_of, 100_000)))
    assert codes == [ErrorCode.UNREADABLE]
    assert peak < 1_000_000


@pytest.mark.parametrize("write", [zip_of, tar_of])
def test_members_without_a_name_are_left_out(
    tmp_path: Path, items_of: ItemsOf, write: Callable[[dict[str, bytes]], bytes]
) -> None:
    path = tmp_path / ("z.zip" if write is zip_of else "t.tar")
    data = write({"\x01.png": b"1", "b.png": b"2"})
    if write is zip_of:
        data = data.replace(b"\x01.png", b"\0.png")
    else:
        data = with_checksum(bytes(5) + data[5:])
    path.write_bytes(data)
    listing = open_source(str(path), None).listing()
    assert [item.image_id for item in items_of(listing)] == ["b.png"]
    assert listing.excluded == {"no_path": 1}


@pytest.mark.parametrize("claimed", [11_000, 2**40, 2**62, 2**63, 2**70])
def test_a_tar_member_larger_than_its_archive(tmp_path: Path, claimed: int) -> None:
    path = tmp_path / "t.tar"
    path.write_bytes(claim_in_tar(tar_of(FILES), claimed))
    with pytest.raises(DfsynthError, match="damaged") as caught:
        open_source(str(path), None).listing()
    assert not isinstance(caught.value, ImageError)


@pytest.mark.parametrize("claimed", [-1, -512, -513, -1024, -(1 << 40)])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_tar_member_of_a_negative_size(
    tmp_path: Path, claimed: int, compress: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "t.tar"
    path.write_bytes(compress(claim_in_tar(tar_of(FILES), claimed)))
    with pytest.raises(DfsynthError, match="damaged"):
        open_source(str(path), None).listing()


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_tar_headers_that_extend_each_other_on_and_on(tmp_path: Path, kind: bytes) -> None:
    header = tar_of({"a.png": b""})[:512]
    extending = with_checksum(header[:156] + kind + header[157:])
    path = tmp_path / "t.tar"
    path.write_bytes(extending * 5000)
    with pytest.raises(DfsynthError, match="damaged"):
        open_source(str(path), None).listing()


def test_a_tar_header_that_claims_more_than_headers_have_is_not_read() -> None:
    asked: list[int] = []

    def read_at(offset: int, size_bytes: int) -> bytes:
        asked.append(size_bytes)
        return bytes(size_bytes)

    file = ForwardFile(read_at)
    for size_bytes in (-1, 1 << 40):
        with pytest.raises(tarfile.ReadError):
            file.read(size_bytes)
    assert not asked


def test_a_tar_is_listed_forward_only() -> None:
    file = ForwardFile(lambda _, size_bytes: bytes(size_bytes))
    file.read(1024)
    file.seek(1023)
    assert file.tell() == 1023
    for place in (1022, 0, -1, 1 << 62):
        with pytest.raises(tarfile.ReadError):
            file.seek(place)


def test_a_tar_member_over_the_limit_is_not_read(
    tmp_path: Path, items_of: ItemsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.tar"
    path.write_bytes(tar_of(FILES))
    source = open_source(str(path), None)
    small, large = items_of(source.listing())
    assert source.read(small, 100) == FILES["a.png"]

    def read(*_: object) -> bytes:
        raise AssertionError("the archive was read")

    monkeypatch.setattr(os, "pread", read)
    with pytest.raises(ImageError) as caught:
        source.read(large, 199)
    assert caught.value.code is ErrorCode.TOO_LARGE


def failures(path: Path, items_of: ItemsOf) -> list[DfsynthError]:
    """Lists and reads all; whatever fails must explain itself."""
    found: list[DfsynthError] = []
    try:
        source = open_source(str(path), None)
        items = list(items_of(source.listing()))
    except DfsynthError as error:
        return [error]
    for item in items:
        try:
            source.read(item, LIMIT)
        except DfsynthError as error:
            found.append(error)
    return found


def assert_printable(failed: list[DfsynthError]) -> None:
    assert all(str(error).isprintable() for error in failed)


@settings(WITH_FOLDER, max_examples=60)
@given(cut=st.floats(0, 1, exclude_max=True), write=st.sampled_from([zip_of, tar_of]))
def test_archives_cut_anywhere(
    tmp_path: Path,
    items_of: ItemsOf,
    cut: float,
    write: Callable[[dict[str, bytes]], bytes],
) -> None:
    path = tmp_path / ("z.zip" if write is zip_of else "t.tar")
    data = write(FILES)
    path.write_bytes(data[: int(cut * len(data))])
    if write is zip_of:
        with pytest.raises(DfsynthError, match="damaged or is no zip"):
            open_source(str(path), None).listing()
    else:
        assert_printable(failures(path, items_of))


@settings(WITH_FOLDER, max_examples=200)
@given(where=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
def test_zips_with_one_changed_byte(
    tmp_path: Path, items_of: ItemsOf, where: float, value: int
) -> None:
    path = tmp_path / "z.zip"
    data = bytearray(zip_of(FILES))
    data[int(where * len(data))] = value
    path.write_bytes(data)
    assert_printable(failures(path, items_of))
