"""Files appear whole or not at all, and what the disk refuses becomes one clear sentence."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dfsynth.errors import StoreError
from dfsynth.files.durable import (
    make_folder,
    remove_durably,
    replacing,
    sweep,
    sync_folder,
    write_durably,
)
from dfsynth.files.faults import store_error, store_faults
from dfsynth.store.zarr.format import ZARR

WRITE_UNDER_A_LIMIT = """
import resource, sys
from pathlib import Path
import numpy as np
from dfsynth.errors import StoreError
from dfsynth.store import ArraySpec, StoreLayout, format_of
layout = StoreLayout(Path(sys.argv[1]))
known = format_of(layout)
spec = ArraySpec("dark_field", "float16", 32, 128, 128, 32)
known.write_group(layout, [spec], {})
limit = int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
noise = np.random.default_rng(0).normal(size=(128, 128)).astype(np.float32)
try:
    with known.shard_writer(layout, [spec], 0) as writer:
        for index in range(32):
            writer.append(index, known.encode_row([spec], {"dark_field": noise}))
        writer.commit()
except StoreError as error:
    print(type(error.__cause__).__name__, error)
    left = sorted(path.name for path in layout.scratch.iterdir())
    print(left, known.shard_files(layout, [spec.name], 0)[0].exists())
"""

WRITE_AS_NOBODY = """
import os, sys
from pathlib import Path
from dfsynth.errors import StoreError
from dfsynth.files.durable import write_durably
from dfsynth.files.locks import RunLock
from dfsynth.store import ArraySpec, StoreLayout
from dfsynth.store.zarr.format import ZARR
layout = StoreLayout(Path(sys.argv[1]))
if os.geteuid() == 0:
    os.seteuid(65534)
for attempt in (
    lambda: write_durably(layout.build, b"x", layout.scratch, "group"),
    lambda: RunLock(layout.lock),
    lambda: ZARR.write_group(layout, [ArraySpec("a", "float16", 1, 1, 1, 1)], {}),
):
    try:
        attempt()
        print("written")
    except StoreError as error:
        print(error)
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    make_folder(tmp_path / "run" / "tmp")
    return tmp_path / "run" / "tmp"


def test_replacing_shows_the_new_content_only_at_the_end(tmp_path, scratch):
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with replacing(target, scratch, "shard-1") as stream:
        stream.write(b"new")
        stream.flush()
        assert target.read_bytes() == b"old"
        assert [path.name.startswith("shard-1.file.") for path in scratch.iterdir()] == [True]
    assert target.read_bytes() == b"new"
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_replacing_keeps_the_old_content_when_its_body_fails(tmp_path, scratch, error):
    target = tmp_path / "file"
    write_durably(target, b"old", scratch, "group")

    def fail() -> None:
        with replacing(target, scratch, "group") as stream:
            stream.write(b"ne")
            raise error

    with pytest.raises(error):
        fail()
    assert target.read_bytes() == b"old"
    assert list(scratch.iterdir()) == []


def test_full_disk_becomes_one_sentence_with_its_cause():
    with pytest.raises(StoreError) as caught, store_faults("write the part"):
        Path("/dev/full").write_bytes(b"x")
    assert str(caught.value).startswith("cannot write the part: the disk is full (ENOSPC); free")
    assert isinstance(caught.value.__cause__, OSError)


def test_disk_full_inside_a_body_names_the_file(tmp_path, scratch):
    target = tmp_path / "part"
    with (
        pytest.raises(StoreError, match=r"part: the disk is full"),
        replacing(target, scratch, "group"),
    ):
        Path("/dev/full").write_bytes(b"x")
    assert not target.exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("this user cannot mount a small file system to fill")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("name", ["x.zarr", "x.h5"])
def test_shard_on_a_full_disk_leaves_nothing_behind(small_disk, start_child, name):
    child = start_child(WRITE_UNDER_A_LIMIT, small_disk / name, 0)
    output, errors = child.communicate()
    assert "OSError cannot write" in output, errors
    assert "the disk is full (ENOSPC)" in output
    assert "[] False" in output


@pytest.mark.parametrize("name", ["x.zarr", "x.h5"])
@pytest.mark.parametrize("limit", [1, 4096, 200_000])
def test_shard_beyond_the_largest_file_leaves_nothing_behind(tmp_path, start_child, name, limit):
    child = start_child(WRITE_UNDER_A_LIMIT, tmp_path / name, limit)
    output, errors = child.communicate()
    assert "OSError cannot write" in output, errors
    assert "exceed the largest size allowed (EFBIG)" in output
    assert "[] False" in output


def test_unwritable_folder_is_refused_with_what_to_do(tmp_path, start_child):
    store = tmp_path / "x.zarr"
    make_folder(store / "run" / "tmp")
    make_folder(store / "manifest")
    folders = (store / "run" / "tmp", store / "run", store)
    for folder in folders:
        folder.chmod(0o500)
    output, errors = start_child(WRITE_AS_NOBODY, store).communicate()
    for folder in reversed(folders):
        folder.chmod(0o700)
    lines = output.splitlines()
    assert len(lines) == 3, errors
    assert all("permission is denied (EACCES); allow this user" in line for line in lines)


def test_file_in_the_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(StoreError, match="is not a folder"):
        make_folder(tmp_path / "x" / "y")
    with pytest.raises(StoreError, match="is not a folder"):
        make_folder(tmp_path / "x")


def test_missing_scratch_folder_is_refused(tmp_path):
    with pytest.raises(StoreError, match=r"not there \(ENOENT\)"):
        write_durably(tmp_path / "file", b"", tmp_path / "tmp", "group")


def test_missing_folder_cannot_be_flushed(tmp_path):
    with pytest.raises(StoreError, match="flush the folder"):
        sync_folder(tmp_path / "none")


def test_every_error_number_gives_a_sentence_with_a_remedy():
    for number in errno.errorcode:
        sentence = str(store_error("write x", OSError(number, os.strerror(number))))
        assert sentence.startswith("cannot write x: ")
        assert f"({errno.errorcode[number]}); " in sentence
        assert os.strerror(number) not in sentence


def test_error_without_a_number_gives_a_sentence():
    assert "no error number" in str(store_error("write x", OSError("text")))


def test_remove_durably_passes_over_missing_files(tmp_path):
    (tmp_path / "a").touch()
    remove_durably([tmp_path / "a", tmp_path / "b", tmp_path / "none" / "c"])
    assert list(tmp_path.iterdir()) == []


def test_sweep_takes_one_owners_files_or_all(scratch, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    for name in ("shard-0000001.a", "shard-0000001.b", "shard-00000010.a"):
        (scratch / f"{name}.0123456789ab.tmp").touch()
    (scratch / "link.0123456789ab.tmp").symlink_to(outside)
    (scratch / "notes.txt").touch()
    (scratch / "folder").mkdir()
    (scratch / "folder" / "file").touch()
    assert sweep(scratch, "shard-0000001") == 2
    assert len(list(scratch.iterdir())) == 4
    assert sweep(scratch) == 2
    assert sorted(path.name for path in scratch.iterdir()) == ["folder", "notes.txt"]
    assert (outside / "precious").exists()


@pytest.fixture
def disk_calls(monkeypatch) -> list[str]:
    """What is flushed and renamed, in order: "flush <file or folder>" and "rename <target>"."""
    calls: list[str] = []
    flush, rename = os.fsync, Path.replace

    def record_flush(descriptor: int) -> None:
        calls.append("flush " + Path(f"/proc/self/fd/{descriptor}").readlink().name.split(".")[0])
        flush(descriptor)

    def record_rename(path: Path, target: Path) -> Path:
        calls.append(f"rename {target.name}")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", record_flush)
    monkeypatch.setattr(Path, "replace", record_rename)
    return calls


def test_bytes_are_flushed_before_the_rename_and_the_folder_after(tmp_path, scratch, disk_calls):
    write_durably(tmp_path / "part", b"x", scratch, "group")
    assert disk_calls == ["flush group", "rename part", f"flush {tmp_path.name.split('.')[0]}"]


def test_made_and_emptied_folders_are_flushed(tmp_path, disk_calls):
    make_folder(tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / "file").touch()
    remove_durably([tmp_path / "a" / "b" / "file"])
    assert disk_calls == [f"flush {tmp_path.name}", "flush a", "flush b"]


def test_every_object_of_a_shard_is_flushed_before_the_first_is_renamed(
    layout, specs, row_maps, disk_calls
):
    ZARR.write_group(layout, specs, {})
    with ZARR.shard_writer(layout, specs, 2) as writer:
        writer.append(0, ZARR.encode_row(specs, row_maps(specs, 8)))
        writer.skip(1)
        disk_calls.clear()
        writer.commit()
    assert disk_calls == [
        *["flush shard-0000002"] * 2,
        *["rename c.2.0.0"] * 2,
        "flush dark_field",
        "flush aleatoric",
    ]
