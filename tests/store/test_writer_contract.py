"""What every shard writer promises, whatever its file format."""

import hashlib
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dfsynth.errors import ErrorCode, ImageError, StoreError
from dfsynth.store import (
    ArraySpec,
    EncodedRow,
    ShardWriter,
    StoreLayout,
    ZarrArrays,
    ZarrShardWriter,
    encode_row,
    row_checksum,
    write_group,
)

Maps = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Format:
    """One file format under test."""

    create: Callable[[StoreLayout, Sequence[ArraySpec], Mapping[str, Any]], None]
    open_writer: Callable[..., ShardWriter]
    encode: Callable[[Sequence[ArraySpec], Maps], EncodedRow]
    read: Callable[[StoreLayout, str, int], NDArray[Any]]


FORMATS = {
    "zarr": Format(
        write_group,
        ZarrShardWriter,
        encode_row,
        lambda layout, name, row: ZarrArrays.open(layout).read(name, row),
    )
}


@pytest.fixture(params=FORMATS.values(), ids=FORMATS.keys())
def fmt(request: pytest.FixtureRequest) -> Format:
    return request.param


@pytest.fixture
def created(fmt: Format, layout: StoreLayout, specs: tuple[ArraySpec, ...]) -> StoreLayout:
    fmt.create(layout, specs, {"schema_version": 1})
    return layout


def scratch_files(layout: StoreLayout) -> list[Path]:
    return sorted(layout.scratch.iterdir())


def objects(layout: StoreLayout, specs: Sequence[ArraySpec], shard: int) -> list[bool]:
    return [layout.shard_object(spec.name, shard).exists() for spec in specs]


def test_rows_read_back_as_the_stored_type_rounds_them(fmt, created, specs, row_maps):
    for shard in range(3):
        with fmt.open_writer(created, specs, shard) as writer:
            for index in range(specs[0].rows_of(shard)):
                writer.append(index, row_maps(specs, shard * 4 + index))
            writer.commit()
    for row in range(10):
        for spec in specs:
            expected = row_maps(specs, row)[spec.name].astype(spec.dtype)
            found = fmt.read(created, spec.name, row)
            assert found.dtype == spec.stored_dtype
            np.testing.assert_array_equal(found, expected)


def test_checksum_is_blake2b_of_the_stored_values_in_map_order(fmt, created, specs, row_maps):
    maps = row_maps(specs, 0)
    backwards = dict(reversed(maps.items()))
    with fmt.open_writer(created, specs, 0) as writer:
        checksum = writer.append(0, backwards)
    stored = maps["dark_field"].astype("<f2").tobytes() + maps["aleatoric"].astype("<f4").tobytes()
    assert checksum == hashlib.blake2b(stored, digest_size=16).hexdigest()
    assert checksum == row_checksum(maps[spec.name].astype(spec.stored_dtype) for spec in specs)


def test_checksum_ignores_memory_order_and_byte_order():
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    expected = row_checksum([values])
    assert row_checksum([np.asfortranarray(values)]) == expected
    assert row_checksum([values.astype(">f4")]) == expected
    assert row_checksum([values.T]) != expected


def test_skipped_rows_read_as_nan_and_the_others_stay_in_place(fmt, created, specs, row_maps):
    with fmt.open_writer(created, specs, 1) as writer:
        writer.skip(0)
        writer.append(1, row_maps(specs, 5))
        writer.skip(2)
        writer.append(3, row_maps(specs, 7))
        writer.commit()
    for spec in specs:
        assert np.isnan(fmt.read(created, spec.name, 4)).all()
        assert np.isnan(fmt.read(created, spec.name, 6)).all()
        for row in (5, 7):
            expected = row_maps(specs, row)[spec.name].astype(spec.dtype)
            np.testing.assert_array_equal(fmt.read(created, spec.name, row), expected)


def test_shard_without_any_good_row_is_still_written(fmt, created, specs):
    with fmt.open_writer(created, specs, 2) as writer:
        writer.skip(0)
        writer.skip(1)
        writer.commit()
    assert objects(created, specs, 2) == [True, True]
    assert np.isnan(fmt.read(created, "dark_field", 9)).all()


def test_encoded_rows_give_the_same_files_as_appended_ones(fmt, created, specs, row_maps):
    def write(take: Callable[[ShardWriter, int], str]) -> tuple[list[str], list[bytes]]:
        with fmt.open_writer(created, specs, 0) as writer:
            checksums = [take(writer, index) for index in range(4)]
            writer.commit()
        return checksums, [created.shard_object(s.name, 0).read_bytes() for s in specs]

    def take_encoded(writer: ShardWriter, index: int) -> str:
        row = fmt.encode(specs, row_maps(specs, index))
        writer.append_encoded(index, row)
        return row.checksum

    appended = write(lambda writer, index: writer.append(index, row_maps(specs, index)))
    assert write(take_encoded) == appended


def test_nothing_has_its_final_name_before_commit_and_no_scratch_after(
    fmt, created, specs, row_maps
):
    with fmt.open_writer(created, specs, 2) as writer:
        writer.append(0, row_maps(specs, 8))
        writer.append(1, row_maps(specs, 9))
        assert objects(created, specs, 2) == [False, False]
        assert scratch_files(created)
        writer.commit()
        assert objects(created, specs, 2) == [True, True]
        assert scratch_files(created) == []


def test_commit_leaves_the_manifest_part_to_the_caller(fmt, created, specs):
    with fmt.open_writer(created, specs, 2) as writer:
        writer.skip(0)
        writer.skip(1)
        writer.commit()
    assert created.committed_shards() == frozenset()


@pytest.mark.parametrize("leave", ["discard", "context", "error"])
def test_without_commit_nothing_remains(fmt, created, specs, row_maps, leave):
    def run() -> None:
        with fmt.open_writer(created, specs, 0) as writer:
            for index in range(4):
                writer.append(index, row_maps(specs, index))
            if leave == "discard":
                writer.discard()
                writer.discard()
            if leave == "error":
                raise KeyboardInterrupt

    if leave == "error":
        with pytest.raises(KeyboardInterrupt):
            run()
    else:
        run()
    assert objects(created, specs, 0) == [False, False]
    assert scratch_files(created) == []


def test_discard_after_commit_keeps_the_shard(fmt, created, specs):
    writer = fmt.open_writer(created, specs, 2)
    writer.skip(0)
    writer.skip(1)
    writer.commit()
    writer.discard()
    assert objects(created, specs, 2) == [True, True]


def test_redoing_a_shard_replaces_it(fmt, created, specs, row_maps):
    for offset in (0, 100):
        with fmt.open_writer(created, specs, 2) as writer:
            for index in range(2):
                writer.append(index, row_maps(specs, 8 + index + offset))
            writer.commit()
    expected = row_maps(specs, 108)["aleatoric"]
    np.testing.assert_array_equal(fmt.read(created, "aleatoric", 8), expected)


@pytest.mark.parametrize("given_index", [0, 2, -1])
def test_rows_out_of_order_are_refused(fmt, created, specs, row_maps, given_index):
    with fmt.open_writer(created, specs, 0) as writer:
        writer.append(0, row_maps(specs, 0))
        with pytest.raises(StoreError, match="expected row 1"):
            writer.append(given_index, row_maps(specs, 1))
        with pytest.raises(StoreError, match="expected row 1"):
            writer.skip(given_index)
        with pytest.raises(StoreError, match="expected row 1"):
            writer.append_encoded(given_index, fmt.encode(specs, row_maps(specs, 1)))


def test_more_rows_than_the_ragged_shard_holds_are_refused(fmt, created, specs):
    with fmt.open_writer(created, specs, 2) as writer:
        writer.skip(0)
        writer.skip(1)
        with pytest.raises(StoreError, match="takes its 2 rows"):
            writer.skip(2)


def test_commit_with_rows_missing_is_refused(fmt, created, specs, row_maps):
    with fmt.open_writer(created, specs, 0) as writer:
        writer.append(0, row_maps(specs, 0))
        with pytest.raises(StoreError, match="1 of its 4 rows"):
            writer.commit()
    assert objects(created, specs, 0) == [False, False]


def test_closed_writer_takes_nothing(fmt, created, specs, row_maps):
    writer = fmt.open_writer(created, specs, 0)
    writer.discard()
    with pytest.raises(StoreError, match="closed"):
        writer.append(0, row_maps(specs, 0))
    with pytest.raises(StoreError, match="closed"):
        writer.commit()


def test_unknown_shard_is_refused(fmt, created, specs):
    with pytest.raises(StoreError, match="no shard 3"):
        fmt.open_writer(created, specs, 3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 65520.0, -1e30])
def test_value_beyond_the_stored_type_fails_the_row_before_any_map_takes_it(
    fmt, created, specs, row_maps, value
):
    bad = row_maps(specs, 1)
    bad["dark_field"][3, 2] = value
    with pytest.raises(ImageError) as caught:
        fmt.encode(specs, bad)
    assert caught.value.code is ErrorCode.NON_FINITE
    with fmt.open_writer(created, specs, 0) as writer:
        writer.append(0, row_maps(specs, 0))
        with pytest.raises(ImageError) as caught:
            writer.append(1, bad)
        assert caught.value.code is ErrorCode.NON_FINITE
        writer.skip(1)
        writer.append(2, row_maps(specs, 2))
        writer.append(3, row_maps(specs, 3))
        writer.commit()
    for spec in specs:
        assert np.isnan(fmt.read(created, spec.name, 1)).all()
        expected = row_maps(specs, 2)[spec.name].astype(spec.dtype)
        np.testing.assert_array_equal(fmt.read(created, spec.name, 2), expected)


def test_bad_value_in_a_later_map_keeps_the_maps_aligned(fmt, created, specs, row_maps):
    bad = row_maps(specs, 0)
    bad["aleatoric"][0, 0] = np.nan
    with fmt.open_writer(created, specs, 0) as writer:
        with pytest.raises(ImageError):
            writer.append(0, bad)
        writer.skip(0)
        for index in (1, 2, 3):
            writer.append(index, row_maps(specs, index))
        writer.commit()
    assert np.isnan(fmt.read(created, "dark_field", 0)).all()


def test_largest_value_that_float16_rounds_to_is_kept(fmt, created, specs, row_maps):
    maps = row_maps(specs, 8)
    maps["dark_field"][0, 0] = 65519.0
    maps["aleatoric"][0, 0] = 1e30
    with fmt.open_writer(created, specs, 2) as writer:
        writer.append(0, maps)
        writer.skip(1)
        writer.commit()
    assert fmt.read(created, "dark_field", 8)[0, 0] == 65504.0
    assert fmt.read(created, "aleatoric", 8)[0, 0] == np.float32(1e30)


@pytest.mark.parametrize(
    "wrong",
    [
        (lambda maps: maps.pop("aleatoric"), "expects"),
        (lambda maps: maps.update(lung=maps["aleatoric"]), "expects"),
        (lambda maps: maps.update(aleatoric=maps["aleatoric"][:-1]), "shape"),
        (lambda maps: maps.update(aleatoric=maps["aleatoric"].astype(complex)), "complex"),
    ],
)
def test_wrong_maps_are_refused(fmt, created, specs, row_maps, wrong):
    change, message = wrong
    maps = row_maps(specs, 0)
    change(maps)
    with fmt.open_writer(created, specs, 0) as writer, pytest.raises(StoreError, match=message):
        writer.append(0, maps)


def test_caller_may_reuse_its_arrays_at_once(fmt, created, specs, row_maps):
    stored = {spec.name: row_maps(specs, 8)[spec.name].astype(spec.dtype) for spec in specs}
    expected = stored["dark_field"].copy()
    with fmt.open_writer(created, specs, 2) as writer:
        writer.append(0, stored)
        for values in stored.values():
            values[:] = 7
        writer.append(1, stored)
        writer.commit()
    np.testing.assert_array_equal(fmt.read(created, "dark_field", 8), expected)


def test_one_pool_serves_several_writers_and_outlives_them(fmt, created, specs, row_maps):
    with ThreadPoolExecutor(3) as pool:
        writers = [fmt.open_writer(created, specs, shard, pool=pool) for shard in range(2)]
        for index in range(4):
            for shard, writer in enumerate(writers):
                writer.append(index, row_maps(specs, shard * 4 + index))
        writers[0].discard()
        writers[1].commit()
        assert pool.submit(lambda: 1).result() == 1
    expected = row_maps(specs, 6)["aleatoric"]
    np.testing.assert_array_equal(fmt.read(created, "aleatoric", 6), expected)


def test_memory_stays_far_below_the_shard(fmt, layout):
    spec = ArraySpec("dark_field", "float16", 128, 128, 128, 128)
    fmt.create(layout, [spec], {})
    noise = np.random.default_rng(0).normal(size=(128, 128)).astype(np.float32)
    raw_bytes = 128 * noise.size * 2
    with fmt.open_writer(layout, [spec], 0) as writer:
        tracemalloc.start()
        for index in range(128):
            writer.append(index, {"dark_field": noise})
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        writer.commit()
    assert peak < 0.15 * raw_bytes


@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_pattern_of_failed_rows_reads_back(fmt, tmp_path_factory, row_maps, data):
    shard_size = data.draw(st.integers(1, 5), "shard size")
    good = data.draw(st.lists(st.booleans(), min_size=1, max_size=12), "good rows")
    dtype = data.draw(st.sampled_from(["float16", "float32"]), "dtype")
    names = data.draw(st.sampled_from([("a",), ("a", "b", "c")]), "arrays")
    specs = [ArraySpec(name, dtype, len(good), 3, 4, shard_size) for name in names]
    layout = StoreLayout(tmp_path_factory.mktemp("pattern"))
    fmt.create(layout, specs, {})
    checksums: dict[int, str] = {}
    for shard in range(specs[0].shards):
        with fmt.open_writer(layout, specs, shard) as writer:
            for index in range(specs[0].rows_of(shard)):
                row = shard * shard_size + index
                if good[row]:
                    checksums[row] = writer.append(index, row_maps(specs, row))
                else:
                    writer.skip(index)
            writer.commit()
    for row, is_good in enumerate(good):
        found = [fmt.read(layout, name, row) for name in names]
        if is_good:
            assert row_checksum(found) == checksums[row]
        else:
            assert all(np.isnan(values).all() for values in found)
