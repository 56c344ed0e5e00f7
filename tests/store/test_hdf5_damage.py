"""Damaged parts raise an error that names array and row; they never give a wrong value."""

import errno
import io
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from dfsynth.errors import StoreError
from dfsynth.files.durable import DurableFile
from dfsynth.store import ArraySpec, StoreLayout
from dfsynth.store.hdf5 import file as hdf5_file
from dfsynth.store.hdf5.file import Hdf5Stream
from dfsynth.store.hdf5.format import HDF5
from dfsynth.store.hdf5.paths import part_path
from dfsynth.store.hdf5.reader import Hdf5Arrays

SPECS = (
    ArraySpec("dark_field", "float32", 3, 8, 8, 3),
    ArraySpec("aleatoric", "float16", 3, 8, 8, 3),
)


@pytest.fixture
def layout(tmp_path) -> StoreLayout:
    return StoreLayout(tmp_path / "x.h5")


def write(layout: StoreLayout) -> None:
    """Three rows, the middle one failed."""
    with HDF5.shard_writer(layout, SPECS, 0) as writer:
        for index in range(3):
            drawn = np.random.default_rng(index).normal(size=(2, 8, 8)).astype(np.float32)
            maps = {spec.name: values for spec, values in zip(SPECS, drawn, strict=True)}
            if index == 1:
                writer.skip(index)
            else:
                writer.append(index, HDF5.encode_row(SPECS, maps))
        writer.commit()


@pytest.fixture
def shard(layout: StoreLayout) -> StoreLayout:
    HDF5.write_group(layout, SPECS, {})
    write(layout)
    return layout


def read_all(layout: StoreLayout) -> list[np.ndarray | StoreError]:
    arrays = Hdf5Arrays(layout, SPECS)
    found: list[np.ndarray | StoreError] = []
    for spec in SPECS:
        for row in range(3):
            try:
                found.append(arrays.read(spec.name, row))
            except StoreError as error:
                found.append(error)
            if isinstance(found[-1], StoreError):
                assert f"array {spec.name!r}, row {row} " in str(found[-1])
    return found


def raised(found: list[np.ndarray | StoreError], intact: list[np.ndarray | StoreError]) -> int:
    """How many rows raised; the others are as they were."""
    for now, before in zip(found, intact, strict=True):
        if not isinstance(now, StoreError):
            np.testing.assert_array_equal(now, before)
    return sum(isinstance(now, StoreError) for now in found)


def plain(layout: StoreLayout) -> np.ndarray:
    """An array as h5py reads it."""
    with h5py.File(layout.root) as file:
        return np.asarray(file["dark_field"][:])


def is_refused(layout: StoreLayout) -> bool:
    said = ""
    try:
        HDF5.check_shard(layout, SPECS, 0)
    except StoreError as error:
        said = str(error)
    assert not said or part_path(layout, 0).name in said
    return bool(said)


def test_flipped_bytes_are_found(shard):
    path = part_path(shard, 0)
    intact, data = read_all(shard), path.read_bytes()
    kinds = set()
    for position in range(0, len(data), 5):
        changed = bytearray(data)
        changed[position] ^= 0x21
        path.write_bytes(changed)
        failed, refused = raised(read_all(shard), intact), is_refused(shard)
        assert failed or refused, position
        kinds.add((failed, refused))
    # A chunk, the structure that other programs read, the index.
    assert kinds == {(1, False), (0, True), (6, True)}


def test_truncations_are_found(shard):
    path = part_path(shard, 0)
    intact, data = read_all(shard), path.read_bytes()
    for size_bytes in range(0, len(data), 37):
        path.write_bytes(data[:size_bytes])
        assert raised(read_all(shard), intact) == 6, size_bytes
        assert is_refused(shard)


def test_flipped_bytes_of_the_virtual_datasets_are_found(shard):
    data = shard.root.read_bytes()
    for position in range(0, len(data), 11):
        changed = bytearray(data)
        changed[position] ^= 0x21
        shard.root.write_bytes(changed)
        with pytest.raises(StoreError, match="--repair"):
            HDF5.read_group(shard)


def test_bytes_added_in_front_or_behind_are_found(shard):
    path = part_path(shard, 0)
    intact, data = read_all(shard), path.read_bytes()
    for changed in (b"\0" + data, data + b"\0"):
        path.write_bytes(changed)
        assert raised(read_all(shard), intact) >= 4
        assert is_refused(shard)


def test_a_file_of_another_program_is_no_part_and_no_store(shard):
    for path in (part_path(shard, 0), shard.root):
        with h5py.File(path, "w") as file:
            file["dark_field"] = np.zeros((3, 8, 8), np.float32)
    assert all(isinstance(found, StoreError) for found in read_all(shard))
    assert is_refused(shard)
    assert not HDF5.has_group(shard)
    with pytest.raises(StoreError, match="another program"):
        HDF5.read_group(shard)
    with pytest.raises(StoreError, match="--repair"):
        HDF5.shard_writer(shard, SPECS, 0)


def test_a_missing_part_is_named(shard):
    part_path(shard, 0).unlink()
    assert all("not there" in str(error) for error in read_all(shard))
    assert is_refused(shard)


def test_a_part_of_other_arrays_is_refused(shard):
    wide = ArraySpec("dark_field", "float32", 3, 8, 9, 3)
    arrays = Hdf5Arrays(shard, (wide, ArraySpec("lung", "float32", 3, 8, 8, 3)))
    with pytest.raises(StoreError, match="256 bytes where 288"):
        arrays.read("dark_field", 0)
    with pytest.raises(StoreError, match="other arrays"):
        arrays.read("lung", 0)


def test_the_file_of_virtual_datasets_that_is_lost_is_made_again_for_the_same_parts(shard):
    shard.part(0).touch()
    before = plain(shard)
    shard.root.unlink()
    HDF5.write_group(shard, SPECS, {})
    assert not is_refused(shard)
    np.testing.assert_array_equal(plain(shard), before)


def test_threads_and_processes_share_one_reader(shard):
    arrays = Hdf5Arrays(shard, SPECS)
    expected = arrays.read("dark_field", 2)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: arrays.read("dark_field", 2), range(50)):
            np.testing.assert_array_equal(found, expected)
    # What a forked process meets: HDF5 itself at work on the same file in its parent.
    with h5py.File(shard.root) as file:
        assert file["dark_field"].shape == (3, 8, 8)
        for method in ("fork", "spawn"):
            context = multiprocessing.get_context(method)
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                found = pool.submit(Hdf5Arrays.read, arrays, "dark_field", 2).result()
            np.testing.assert_array_equal(found, expected)


class Failing(Hdf5Stream):
    """Whose n-th operation raises; the class says which and what."""

    at = 0
    error: BaseException
    count = 0

    def _do(self, call: Callable[[], Any], otherwise: Any) -> Any:
        def operation() -> Any:
            type(self).count += 1
            if type(self).count == self.at:
                raise self.error
            return call()

        return super()._do(operation, otherwise)


@pytest.mark.parametrize(
    ("error", "seen", "said"),
    [
        (OSError(errno.ENOSPC, "full"), StoreError, "the disk is full"),
        (KeyboardInterrupt("Ctrl-C"), KeyboardInterrupt, "Ctrl-C"),
    ],
)
def test_a_change_that_fails_anywhere_ends_the_shard_and_hdf5_lets_go(
    layout, monkeypatch, error, seen, said
):
    HDF5.write_group(layout, SPECS, {})
    monkeypatch.setattr(hdf5_file, "Hdf5Stream", Failing)
    monkeypatch.setattr(Failing, "error", error, raising=False)
    failures = 0
    for at in range(1, 1000):
        monkeypatch.setattr(Failing, "at", at)
        monkeypatch.setattr(Failing, "count", 0)
        found = ""
        try:
            write(layout)
        except seen as failure:
            found = str(failure)
        if Failing.count < at:
            break
        assert said in found
        failures += 1
        assert not part_path(layout, 0).exists()
        assert list(layout.scratch.iterdir()) == []
        assert h5py.h5f.get_obj_count(h5py.h5f.OBJ_ALL, h5py.h5f.OBJ_FILE) == 0
    assert failures > 5
    assert not any(isinstance(found, StoreError) for found in read_all(layout))


class Reads:
    """Of all reads of a shard's files the n-th fails."""

    at = 0
    count = 0

    @classmethod
    def meet(cls) -> None:
        cls.count += 1
        if cls.count == cls.at:
            raise OSError(errno.EIO, "an unreadable sector")


class FaultyRaw(io.FileIO):
    """What lies below a buffered stream."""

    def readinto(self, buffer: Any) -> int | None:
        Reads.meet()
        return super().readinto(buffer)

    def readall(self) -> bytes:
        Reads.meet()
        return super().readall()


class FaultyFile(DurableFile):
    """Whose stream meets `Reads` too."""

    def __init__(self, target: Path, scratch: Path, owner: str) -> None:
        super().__init__(target, scratch, owner)
        with self.stream as plain:
            raw = FaultyRaw(os.dup(plain.fileno()), "r+b")
        self.stream = io.BufferedRandom(raw)


def test_a_read_that_fails_anywhere_while_a_store_is_made_ends_it_in_a_line(layout, monkeypatch):
    pread = os.pread

    def read(*arguments: int) -> bytes:
        Reads.meet()
        return pread(*arguments)

    said = set()
    for at in range(1, 1000):
        with monkeypatch.context() as patched:
            patched.setattr("os.pread", read)
            patched.setattr(hdf5_file, "DurableFile", FaultyFile)
            patched.setattr(Reads, "at", at)
            patched.setattr(Reads, "count", 0)
            found = ""
            try:
                HDF5.write_group(layout, SPECS, {})
                write(layout)
            except StoreError as failure:
                found = str(failure)
            if Reads.count < at:
                break
        assert "the disk reported an input/output error" in found
        said.add(found.partition(":")[0])
        assert list(layout.scratch.iterdir()) == []
        assert not part_path(layout, 0).exists()
        assert h5py.h5f.get_obj_count(h5py.h5f.OBJ_ALL, h5py.h5f.OBJ_FILE) == 0
        layout.root.unlink(missing_ok=True)
    # Beside what the writing itself reads.
    assert said >= {f"cannot read back {path}" for path in (layout.root, part_path(layout, 0))}
    assert not any(isinstance(found, StoreError) for found in read_all(layout))


REFUSED_AT_ONCE = """
import sys
from pathlib import Path
from dfsynth.store.hdf5 import file

kept = OSError(28, "full")

class Refusing(file.Hdf5Stream):
    def tell(self):
        return self._do(self._fail, 0)

    def _fail(self):
        raise kept

file.Hdf5Stream = Refusing
opened = file.Hdf5File(Path(sys.argv[1], "x.h5"), Path(sys.argv[1]), "group")
opened.discard()
"""


def test_a_failure_that_is_kept_does_not_crash_the_end_of_the_process(tmp_path, start_child):
    child = start_child(REFUSED_AT_ONCE, tmp_path)
    _, errors = child.communicate()
    assert (child.returncode, errors) == (0, "")
