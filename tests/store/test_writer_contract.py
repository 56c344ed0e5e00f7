"""What every file format promises: rows in order, whole or not at all, and the same read back."""

import hashlib
import tracemalloc
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dfsynth.errors import ErrorCode, ImageError, StoreError
from dfsynth.store import FORMATS, ArraySpec, StoreFormat, StoreLayout, format_of, row_checksum
from dfsynth.store.rounding import round_mantissa

Maps = Mapping[str, NDArray[Any]]


@pytest.fixture(params=FORMATS, ids=lambda known: known.name)
def fmt(request: pytest.FixtureRequest) -> StoreFormat:
    return request.param


@pytest.fixture
def layout(fmt: StoreFormat, tmp_path: Path) -> StoreLayout:
    return StoreLayout(tmp_path / f"x{min(fmt.suffixes)}")


@pytest.fixture
def created(fmt: StoreFormat, layout: StoreLayout, specs: tuple[ArraySpec, ...]) -> StoreLayout:
    fmt.write_group(layout, specs, {"schema_version": 1})
    return layout


def read(fmt: StoreFormat, layout: StoreLayout, name: str, row: int) -> NDArray[Any]:
    return fmt.open_arrays(layout).read(name, row)


def scratch_files(layout: StoreLayout) -> list[Path]:
    return sorted(layout.scratch.iterdir())


def are_there(
    fmt: StoreFormat, layout: StoreLayout, specs: Sequence[ArraySpec], shard: int
) -> bool:
    """Whether the files of a shard exist: all of them, or none."""
    files = fmt.shard_files(layout, [s.name for s in specs], shard)
    found = {path.exists() for path in files}
    assert len(found) == 1
    return found.pop()


def test_a_format_is_known_by_the_ending_of_a_stores_name(fmt, tmp_path):
    assert fmt.suffixes
    for suffix in fmt.suffixes:
        assert format_of(StoreLayout(tmp_path / f"x{suffix}")) is fmt
        assert format_of(StoreLayout(tmp_path / f"x{suffix.upper()}")) is fmt


def test_names_and_endings_of_formats_are_unique():
    assert len({fmt.name for fmt in FORMATS}) == len(FORMATS)
    suffixes = [suffix for fmt in FORMATS for suffix in fmt.suffixes]
    assert len(set(suffixes)) == len(suffixes)


def test_a_store_of_another_name_is_one_of_zarr(tmp_path):
    assert format_of(StoreLayout(tmp_path / "maps")).name == "zarr"


def test_a_group_reads_back_as_it_was_written(fmt, layout, specs):
    attributes = {"schema_version": 1, "window": [0.0, 1.5], "unit": "1/m²", "seed": None}
    assert not fmt.has_group(layout)
    fmt.write_group(layout, specs, attributes)
    assert fmt.has_group(layout)
    assert fmt.read_group(layout) == (specs, attributes)
    assert fmt.open_arrays(layout).specs == specs
    assert fmt.open_arrays(layout).names == ("dark_field", "aleatoric")


def test_a_group_without_rows_is_no_shard(fmt, created, specs):
    assert not are_there(fmt, created, specs, 0)
    files = {path.name for path in created.root.parent.rglob("*") if path.is_file()}
    assert files == (fmt.documents or {created.root.name})


def test_rows_read_back_as_the_stored_type_rounds_them(fmt, created, specs, row_maps):
    for shard in range(3):
        with fmt.shard_writer(created, specs, shard) as writer:
            for index in range(specs[0].rows_of(shard)):
                writer.append(index, fmt.encode_row(specs, row_maps(specs, shard * 4 + index)))
            writer.commit()
    for row in range(10):
        for spec in specs:
            expected = row_maps(specs, row)[spec.name].astype(spec.dtype)
            found = read(fmt, created, spec.name, row)
            assert found.dtype == spec.stored_dtype
            np.testing.assert_array_equal(found, expected)


def test_the_formats_own_library_reads_the_same(fmt, created, specs, row_maps):
    with fmt.shard_writer(created, specs, 0) as writer:
        for index in range(4):
            writer.append(index, fmt.encode_row(specs, row_maps(specs, index)))
        writer.commit()
    group = fmt.open_group(created)
    for spec in specs:
        assert group[spec.name].shape == (10, 6, 5)
        np.testing.assert_array_equal(group[spec.name][3], read(fmt, created, spec.name, 3))
        assert np.isnan(group[spec.name][4]).all()


def test_values_are_rounded_and_described_as_the_array_says(fmt, layout, row_maps):
    texts = {"units": "1/m²", "long_name": "dark-field image"}
    specs = (
        ArraySpec("dark_field", "float32", 3, 6, 5, 2, keepbits=10, **texts),
        ArraySpec("aleatoric", "float32", 3, 6, 5, 2, keepbits=23),
        ArraySpec("epistemic", "float16", 3, 6, 5, 2, keepbits=10),
        ArraySpec("lung_mask", "uint8", 3, 6, 5, 2, units="1"),
    )
    fmt.write_group(layout, specs, {})
    assert fmt.read_group(layout)[0] == specs
    maps = row_maps(specs, 0) | {"lung_mask": np.ones((6, 5), np.uint8)}
    encoded = fmt.encode_row(specs, maps)
    with fmt.shard_writer(layout, specs, 0) as writer:
        writer.append(0, encoded)
        writer.skip(1)
        writer.commit()
    found = {spec.name: read(fmt, layout, spec.name, 0) for spec in specs}
    rounded = maps["dark_field"].copy()
    round_mantissa(rounded, 10)
    assert (rounded != maps["dark_field"]).any()
    np.testing.assert_array_equal(found["dark_field"], rounded)
    np.testing.assert_array_equal(found["aleatoric"], maps["aleatoric"])
    np.testing.assert_array_equal(found["epistemic"], maps["epistemic"].astype(np.float16))
    assert encoded.checksum == row_checksum(found.values())


def test_a_value_that_rounding_makes_infinite_fails_its_row(fmt):
    specs = [ArraySpec("a", "float32", 1, 1, 2, 1, keepbits=10)]
    largest = np.array([[np.finfo(np.float32).max, 1]], np.float32)
    with pytest.raises(ImageError) as caught:
        fmt.encode_row(specs, {"a": largest})
    assert caught.value.code is ErrorCode.NON_FINITE


def test_checksum_is_blake2b_of_the_stored_values_in_map_order(fmt, specs, row_maps):
    maps = row_maps(specs, 0)
    backwards = dict(reversed(maps.items()))
    checksum = fmt.encode_row(specs, backwards).checksum
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
    with fmt.shard_writer(created, specs, 1) as writer:
        writer.skip(0)
        writer.append(1, fmt.encode_row(specs, row_maps(specs, 5)))
        writer.skip(2)
        writer.append(3, fmt.encode_row(specs, row_maps(specs, 7)))
        writer.commit()
    for spec in specs:
        assert np.isnan(read(fmt, created, spec.name, 4)).all()
        assert np.isnan(read(fmt, created, spec.name, 6)).all()
        for row in (5, 7):
            expected = row_maps(specs, row)[spec.name].astype(spec.dtype)
            np.testing.assert_array_equal(read(fmt, created, spec.name, row), expected)


def test_shard_without_any_good_row_is_still_written(fmt, created, specs):
    with fmt.shard_writer(created, specs, 2) as writer:
        writer.skip(0)
        writer.skip(1)
        writer.commit()
    assert are_there(fmt, created, specs, 2)
    assert np.isnan(read(fmt, created, "dark_field", 9)).all()


def test_rows_that_threads_encode_give_the_same_files(fmt, created, specs, row_maps):
    def write(encoded: Sequence[Any]) -> list[bytes]:
        with fmt.shard_writer(created, specs, 0) as writer:
            for index, row in enumerate(encoded):
                writer.append(index, row)
            writer.commit()
        files = fmt.shard_files(created, [spec.name for spec in specs], 0)
        return [path.read_bytes() for path in files]

    maps = [row_maps(specs, index) for index in range(4)]
    one_by_one = write([fmt.encode_row(specs, row) for row in maps])
    with ThreadPoolExecutor(3) as pool:
        backwards = [pool.submit(fmt.encode_row, specs, row) for row in reversed(maps)]
        assert write([future.result() for future in reversed(backwards)]) == one_by_one


def test_nothing_has_its_final_name_before_commit_and_no_scratch_after(
    fmt, created, specs, row_maps
):
    with fmt.shard_writer(created, specs, 2) as writer:
        writer.append(0, fmt.encode_row(specs, row_maps(specs, 8)))
        writer.append(1, fmt.encode_row(specs, row_maps(specs, 9)))
        assert not are_there(fmt, created, specs, 2)
        assert scratch_files(created)
        writer.commit()
        assert are_there(fmt, created, specs, 2)
        assert scratch_files(created) == []


def test_commit_leaves_the_manifest_part_to_the_caller(fmt, created, specs):
    with fmt.shard_writer(created, specs, 2) as writer:
        writer.skip(0)
        writer.skip(1)
        writer.commit()
    assert created.committed_shards() == frozenset()


@pytest.mark.parametrize("leave", ["discard", "context", "error"])
def test_without_commit_nothing_remains(fmt, created, specs, row_maps, leave):
    def run() -> None:
        with fmt.shard_writer(created, specs, 0) as writer:
            for index in range(4):
                writer.append(index, fmt.encode_row(specs, row_maps(specs, index)))
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
    assert not are_there(fmt, created, specs, 0)
    assert scratch_files(created) == []


def test_discard_after_commit_keeps_the_shard(fmt, created, specs):
    writer = fmt.shard_writer(created, specs, 2)
    writer.skip(0)
    writer.skip(1)
    writer.commit()
    writer.discard()
    assert are_there(fmt, created, specs, 2)


def test_redoing_a_shard_replaces_it(fmt, created, specs, row_maps):
    for offset in (0, 100):
        with fmt.shard_writer(created, specs, 2) as writer:
            for index in range(2):
                writer.append(index, fmt.encode_row(specs, row_maps(specs, 8 + index + offset)))
            writer.commit()
    expected = row_maps(specs, 108)["aleatoric"]
    np.testing.assert_array_equal(read(fmt, created, "aleatoric", 8), expected)


def test_several_writers_are_open_at_once(fmt, created, specs, row_maps):
    writers = [fmt.shard_writer(created, specs, shard) for shard in range(2)]
    for index in range(4):
        for shard, writer in enumerate(writers):
            writer.append(index, fmt.encode_row(specs, row_maps(specs, shard * 4 + index)))
    writers[0].discard()
    writers[1].commit()
    assert not are_there(fmt, created, specs, 0)
    expected = row_maps(specs, 6)["aleatoric"]
    np.testing.assert_array_equal(read(fmt, created, "aleatoric", 6), expected)


@pytest.mark.parametrize("given_index", [0, 2, -1])
def test_rows_out_of_order_are_refused(fmt, created, specs, row_maps, given_index):
    with fmt.shard_writer(created, specs, 0) as writer:
        writer.append(0, fmt.encode_row(specs, row_maps(specs, 0)))
        with pytest.raises(StoreError, match="expected row 1"):
            writer.append(given_index, fmt.encode_row(specs, row_maps(specs, 1)))
        with pytest.raises(StoreError, match="expected row 1"):
            writer.skip(given_index)


def test_a_row_of_another_number_of_maps_is_refused_and_not_taken(fmt, created, specs, row_maps):
    with fmt.shard_writer(created, specs, 0) as writer:
        alone = specs[:1]
        with pytest.raises(StoreError, match="holds 1 map; the store expects 2"):
            writer.append(0, fmt.encode_row(alone, row_maps(alone, 0)))
        writer.append(0, fmt.encode_row(specs, row_maps(specs, 0)))


def test_more_rows_than_the_ragged_shard_holds_are_refused(fmt, created, specs):
    with fmt.shard_writer(created, specs, 2) as writer:
        writer.skip(0)
        writer.skip(1)
        with pytest.raises(StoreError, match="takes its 2 rows"):
            writer.skip(2)


def test_commit_with_rows_missing_is_refused(fmt, created, specs, row_maps):
    with fmt.shard_writer(created, specs, 0) as writer:
        writer.append(0, fmt.encode_row(specs, row_maps(specs, 0)))
        with pytest.raises(StoreError, match="1 of 4 rows"):
            writer.commit()
    assert not are_there(fmt, created, specs, 0)


def test_closed_writer_takes_nothing(fmt, created, specs, row_maps):
    writer = fmt.shard_writer(created, specs, 0)
    writer.discard()
    with pytest.raises(StoreError, match="closed"):
        writer.append(0, fmt.encode_row(specs, row_maps(specs, 0)))
    with pytest.raises(StoreError, match="closed"):
        writer.skip(0)
    with pytest.raises(StoreError, match="closed"):
        writer.commit()


def test_unknown_shard_is_refused(fmt, created, specs):
    with pytest.raises(StoreError, match="no shard 3"):
        fmt.shard_writer(created, specs, 3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 65520.0, -1e30])
def test_a_value_beyond_the_stored_type_fails_its_row_alone(fmt, created, specs, row_maps, value):
    bad = row_maps(specs, 1)
    bad["dark_field"][3, 2] = value
    with fmt.shard_writer(created, specs, 0) as writer:
        writer.append(0, fmt.encode_row(specs, row_maps(specs, 0)))
        with pytest.raises(ImageError) as caught:
            fmt.encode_row(specs, bad)
        assert caught.value.code is ErrorCode.NON_FINITE
        writer.skip(1)
        writer.append(2, fmt.encode_row(specs, row_maps(specs, 2)))
        writer.append(3, fmt.encode_row(specs, row_maps(specs, 3)))
        writer.commit()
    for spec in specs:
        assert np.isnan(read(fmt, created, spec.name, 1)).all()
        expected = row_maps(specs, 2)[spec.name].astype(spec.dtype)
        np.testing.assert_array_equal(read(fmt, created, spec.name, 2), expected)


def test_a_bad_value_in_a_later_map_fails_the_row(fmt, specs, row_maps):
    bad = row_maps(specs, 0)
    bad["aleatoric"][0, 0] = np.nan
    with pytest.raises(ImageError, match="map aleatoric"):
        fmt.encode_row(specs, bad)


def test_largest_value_that_float16_rounds_to_is_kept(fmt, created, specs, row_maps):
    maps = row_maps(specs, 8)
    maps["dark_field"][0, 0] = 65519.0
    maps["aleatoric"][0, 0] = 1e30
    with fmt.shard_writer(created, specs, 2) as writer:
        writer.append(0, fmt.encode_row(specs, maps))
        writer.skip(1)
        writer.commit()
    assert read(fmt, created, "dark_field", 8)[0, 0] == 65504.0
    assert read(fmt, created, "aleatoric", 8)[0, 0] == np.float32(1e30)


@pytest.mark.parametrize(
    "wrong",
    [
        (lambda maps: maps.pop("aleatoric"), "expects"),
        (lambda maps: maps.update(lung=maps["aleatoric"]), "expects"),
        (lambda maps: maps.update(aleatoric=maps["aleatoric"][:-1]), "shape"),
        (lambda maps: maps.update(aleatoric=maps["aleatoric"].astype(complex)), "complex"),
    ],
)
def test_wrong_maps_are_refused(fmt, specs, row_maps, wrong):
    change, message = wrong
    maps = row_maps(specs, 0)
    change(maps)
    with pytest.raises(StoreError, match=message):
        fmt.encode_row(specs, maps)


def test_caller_may_reuse_its_arrays_at_once(fmt, created, specs, row_maps):
    stored = {spec.name: row_maps(specs, 8)[spec.name].astype(spec.dtype) for spec in specs}
    expected = stored["dark_field"].copy()
    encoded = fmt.encode_row(specs, stored)
    for values in stored.values():
        values[:] = 7
    with fmt.shard_writer(created, specs, 2) as writer:
        writer.append(0, encoded)
        writer.append(1, fmt.encode_row(specs, stored))
        writer.commit()
    np.testing.assert_array_equal(read(fmt, created, "dark_field", 8), expected)


def test_memory_stays_far_below_the_shard(fmt, layout):
    spec = ArraySpec("dark_field", "float16", 128, 128, 128, 128)
    fmt.write_group(layout, [spec], {})
    noise = np.random.default_rng(0).normal(size=(128, 128)).astype(np.float32)
    raw_bytes = 128 * noise.size * 2
    with fmt.shard_writer(layout, [spec], 0) as writer:
        tracemalloc.start()
        for index in range(128):
            writer.append(index, fmt.encode_row([spec], {"dark_field": noise}))
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
    layout = StoreLayout(tmp_path_factory.mktemp("pattern") / f"x{min(fmt.suffixes)}")
    fmt.write_group(layout, specs, {})
    checksums: dict[int, str] = {}
    for shard in range(specs[0].shards):
        with fmt.shard_writer(layout, specs, shard) as writer:
            for index in range(specs[0].rows_of(shard)):
                row = shard * shard_size + index
                if good[row]:
                    encoded = fmt.encode_row(specs, row_maps(specs, row))
                    writer.append(index, encoded)
                    checksums[row] = encoded.checksum
                else:
                    writer.skip(index)
            writer.commit()
    arrays = fmt.open_arrays(layout)
    for row, is_good in enumerate(good):
        found = [arrays.read(name, row) for name in names]
        if is_good:
            assert row_checksum(found) == checksums[row]
        else:
            assert all(np.isnan(values).all() for values in found)
