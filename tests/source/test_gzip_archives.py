"""Compressed tars, read in place: the plan's places hold in what the gzip inflates to."""

import gzip
import os
import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tar_files import tar_of
from traced_memory import peak_bytes

from dfsynth.errors import DfsynthError, ErrorCode, ImageError
from dfsynth.files.object_file import open_forward
from dfsynth.source import gzip_stream, open_source
from dfsynth.source.gzip_stream import GzipStream

LIMIT = 1 << 20
FILES = {f"{name}.png": bytes([i + 1]) * (700 * i) for i, name in enumerate("hgfedcba") if i}


def write(path: Path, files: Mapping[str, bytes]) -> Path:
    path.write_bytes(gzip.compress(tar_of(files)))
    return path


@pytest.fixture
def small_blocks(monkeypatch) -> None:
    """A stream of a few thousand bytes then has many states and blocks."""
    monkeypatch.setattr(gzip_stream, "_INPUT_BYTES", 64)
    monkeypatch.setattr(gzip_stream, "_BLOCK_BYTES", 128)
    monkeypatch.setattr(gzip_stream, "_RECENT_BYTES", 512)
    monkeypatch.setattr(gzip_stream, "_FIRST_SPACING_BYTES", 1024)
    monkeypatch.setattr(gzip_stream, "_MOST_STATES", 8)


@pytest.mark.parametrize("name", ["t.tar.gz", "t.tgz", "T.TAR.GZ"])
def test_members_come_in_the_order_of_the_archive(tmp_path, ids_of, items_of, name) -> None:
    path = write(tmp_path / name, FILES)
    source = open_source(str(path), None)
    listing = source.listing()
    assert source.name == f"tar:{name}"
    assert ids_of(listing) == list(FILES)
    again = open_source(str(path), None)
    assert {i.image_id: again.read(i, LIMIT) for i in items_of(listing)} == FILES


def test_any_order_and_many_threads_give_each_member_its_own(
    tmp_path, items_of, small_blocks
) -> None:
    path = write(tmp_path / "t.tar.gz", FILES)
    source = open_source(str(path), None)
    items = [*items_of(source.listing())] * 6
    random.Random(0).shuffle(items)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda item: source.read(item, LIMIT), items))
    assert found == [FILES[item.image_id] for item in items]


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    reads=st.lists(st.tuples(st.integers(0, 70_000), st.integers(0, 9000)), min_size=1, max_size=12)
)
def test_any_range_is_that_of_the_content(tmp_path, small_blocks, reads) -> None:
    content = random.Random(1).randbytes(30_000) + bytes(20_000) + b"chest" * 3000
    parts = gzip.compress(content[:9000]) + gzip.compress(content[9000:])
    (tmp_path / "x.gz").write_bytes(parts + bytes(200))  # zeros may fill it up
    stream = GzipStream(open_forward(tmp_path / "x.gz"))
    for offset, size_bytes in reads:
        assert stream.read_at(offset, size_bytes) == content[offset : offset + size_bytes]
    assert stream.size() == len(content)


def test_going_back_inflates_from_the_nearest_state(tmp_path, small_blocks, monkeypatch) -> None:
    content = random.Random(1).randbytes(60_000)
    (tmp_path / "x.gz").write_bytes(gzip.compress(content))
    stream = GzipStream(open_forward(tmp_path / "x.gz"))
    stream.size()
    read: list[int] = []
    pread = os.pread

    def counted(descriptor: int, size_bytes: int, offset: int) -> bytes:
        read.append(size_bytes)
        return pread(descriptor, size_bytes, offset)

    monkeypatch.setattr(os, "pread", counted)
    assert stream.read_at(50_000, 10) == content[50_000:50_010]
    assert sum(read) < len(content) / 2


def test_memory_does_not_grow_with_the_stream(tmp_path) -> None:
    path = tmp_path / "x.gz"
    with gzip.open(path, "wb", 1) as file:
        for _ in range(160):
            file.write(bytes(1 << 20))
    assert peak_bytes(lambda: GzipStream(open_forward(path)).size()) < 48 << 20


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_download_that_was_cut_off_is_damaged(tmp_path, kept) -> None:
    path = write(tmp_path / "t.tar.gz", {"a.png": random.Random(0).randbytes(50_000)})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(DfsynthError, match=r"t\.tar\.gz is damaged"):
        open_source(str(path), None).listing()


def test_a_wrong_checksum_is_damage(tmp_path) -> None:
    path = write(tmp_path / "t.tar.gz", FILES)
    content = bytearray(path.read_bytes())
    content[-8] ^= 1
    path.write_bytes(content)
    with pytest.raises(DfsynthError, match="damaged"):
        open_source(str(path), None).listing()


def test_an_archive_written_anew_ends_the_run(tmp_path, items_of) -> None:
    path = write(tmp_path / "t.tar.gz", FILES)
    items = list(items_of(open_source(str(path), None).listing()))
    for content in (
        tar_of(dict(reversed(FILES.items()))),
        b"",
        tar_of({"z.png": b"1"}),
    ):
        path.write_bytes(gzip.compress(content))
        with pytest.raises(DfsynthError, match="is not the one that was planned") as caught:
            open_source(str(path), None).read(items[0], LIMIT)
        assert not isinstance(caught.value, ImageError)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DfsynthError, match="is not the one that was planned"):
        open_source(str(path), None).read(items[0], LIMIT)


def test_a_large_member_is_not_inflated(tmp_path, items_of) -> None:
    path = write(tmp_path / "t.tar.gz", {"a.png": bytes(LIMIT + 1)})
    source = open_source(str(path), None)
    with pytest.raises(ImageError) as caught:
        source.read(next(iter(items_of(source.listing()))), LIMIT)
    assert caught.value.code is ErrorCode.TOO_LARGE
