"""Damaged shards raise an error that names array and row; they never give a wrong value."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from dfsynth.errors import StoreError
from dfsynth.store import ArraySpec, StoreLayout, row_checksum
from dfsynth.store.checksum import with_checksum
from dfsynth.store.zarr.format import ZARR
from dfsynth.store.zarr.paths import shard_path
from dfsynth.store.zarr.reader import ZarrArrays

SPEC = ArraySpec("dark_field", "float16", 3, 8, 8, 3)


@pytest.fixture
def shard(layout: StoreLayout) -> StoreLayout:
    """Three rows, the middle one failed: every byte of the object belongs to something."""
    ZARR.write_group(layout, [SPEC], {})
    values = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    with ZARR.shard_writer(layout, [SPEC], 0) as writer:
        writer.append(0, ZARR.encode_row([SPEC], {"dark_field": values}))
        writer.skip(1)
        writer.append(2, ZARR.encode_row([SPEC], {"dark_field": -values}))
        writer.commit()
    return layout


def read_all(layout: StoreLayout) -> list[np.ndarray | StoreError]:
    arrays = ZARR.open_arrays(layout)
    found: list[np.ndarray | StoreError] = []
    for row in range(3):
        try:
            found.append(arrays.read("dark_field", row))
        except StoreError as error:
            found.append(error)
    for row, value in enumerate(found):
        if isinstance(value, StoreError):
            assert f"array 'dark_field', row {row} " in str(value)
    return found


def check_never_wrong(
    found: list[np.ndarray | StoreError], intact: list[np.ndarray | StoreError]
) -> int:
    """How many rows raised; the others are as they were."""
    for now, before in zip(found, intact, strict=True):
        if not isinstance(now, StoreError):
            np.testing.assert_array_equal(now, before)
    return sum(isinstance(now, StoreError) for now in found)


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_every_flipped_byte_is_found(shard, flip):
    path = shard_path(shard, "dark_field", 0)
    intact = read_all(shard)
    data = path.read_bytes()
    index_start = len(data) - 3 * 16 - 4
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= flip
        path.write_bytes(changed)
        raised = check_never_wrong(read_all(shard), intact)
        assert raised == (3 if position >= index_start else 1), position


def test_every_truncation_is_found(shard):
    path = shard_path(shard, "dark_field", 0)
    intact = read_all(shard)
    data = path.read_bytes()
    for size_bytes in range(len(data)):
        path.write_bytes(data[:size_bytes])
        assert check_never_wrong(read_all(shard), intact) == 3, size_bytes


def test_bytes_added_in_front_are_found(shard):
    path = shard_path(shard, "dark_field", 0)
    intact = read_all(shard)
    path.write_bytes(b"\0" + path.read_bytes())
    assert check_never_wrong(read_all(shard), intact) == 2


def test_index_that_points_outside_is_found_even_with_a_good_checksum(shard):
    path = shard_path(shard, "dark_field", 0)
    data = path.read_bytes()
    index = np.frombuffer(data[-52:-4], "<u8").reshape(3, 2).copy()
    index[0] = (len(data) - 10, 10)
    index[1] = (2**64 - 1, 5)
    index[2] = (0, 2**63)
    path.write_bytes(data[:-52] + with_checksum(index.tobytes()))
    found = read_all(shard)
    assert all("outside the file" in str(error) for error in found)


def test_chunk_of_another_size_is_found(shard, tmp_path):
    wide = ArraySpec("dark_field", "float16", 3, 8, 9, 3)
    other = StoreLayout(tmp_path / "other.zarr")
    ZARR.write_group(other, [wide], {})
    with ZARR.shard_writer(other, [wide], 0) as writer:
        row = ZARR.encode_row([wide], {"dark_field": np.ones((8, 9), np.float32)})
        for index in range(3):
            writer.append(index, row)
        writer.commit()
    shard_path(other, "dark_field", 0).replace(shard_path(shard, "dark_field", 0))
    assert all("144 bytes where 128" in str(error) for error in read_all(shard))


def test_missing_object_is_found(shard):
    shard_path(shard, "dark_field", 0).unlink()
    assert all("not there" in str(error) for error in read_all(shard))


def test_unknown_array_and_row_are_refused(shard):
    arrays = ZARR.open_arrays(shard)
    with pytest.raises(StoreError, match="no array 'lung'"):
        arrays.read("lung", 0)
    for row in (-1, 3):
        with pytest.raises(StoreError, match=f"no row {row}"):
            arrays.read("dark_field", row)


def test_checksum_of_stored_rows_is_the_writers(layout, specs, row_maps):
    ZARR.write_group(layout, specs, {})
    encoded = [ZARR.encode_row(specs, row_maps(specs, row)) for row in (8, 9)]
    with ZARR.shard_writer(layout, specs, 2) as writer:
        for index, row in enumerate(encoded):
            writer.append(index, row)
        writer.commit()
    arrays = ZARR.open_arrays(layout)
    for number, written in zip((8, 9), encoded, strict=True):
        assert row_checksum(arrays.read(name, number) for name in arrays.names) == written.checksum
        assert row_checksum(arrays.read(name, number) for name in reversed(arrays.names)) != (
            written.checksum
        )


def test_threads_share_one_reader(small_store, specs, row_maps):
    arrays = ZARR.open_arrays(small_store)
    rows = [2, 3, 4, 5, 6, 7, 8, 9] * 20
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda row: arrays.read("aleatoric", row), rows))
    for row, values in zip(rows, found, strict=True):
        np.testing.assert_array_equal(values, row_maps(specs, row)["aleatoric"])


def test_spawned_processes_read_with_their_copy(small_store, specs, row_maps):
    arrays = ZARR.open_arrays(small_store)
    assert isinstance(arrays, ZarrArrays)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        found = pool.submit(ZarrArrays.read, arrays, "aleatoric", 7).result()
    np.testing.assert_array_equal(found, row_maps(specs, 7)["aleatoric"])


def test_what_is_read_belongs_to_the_caller(shard):
    values = ZARR.open_arrays(shard).read("dark_field", 0)
    values += 1
    assert not np.array_equal(values, ZARR.open_arrays(shard).read("dark_field", 0))
