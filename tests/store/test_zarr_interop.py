"""Plain zarr-python and xarray read our stores, bit for bit and without a warning."""

import json
import warnings
from typing import Any

import numpy as np
import pytest
import xarray
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec
from zarr.core.buffer import Buffer
from zarr.core.metadata import ArrayV3Metadata
from zarr.storage import MemoryStore

from dfsynth.errors import StoreError
from dfsynth.store import ArraySpec, StoreLayout
from dfsynth.store.zarr.format import ZARR
from dfsynth.store.zarr.metadata import array_document
from dfsynth.store.zarr.paths import group_path, shard_path


def reference_array(spec: ArraySpec, documents: dict[str, Buffer]) -> zarr.Array[Any]:
    """The array as zarr-python itself would make it."""
    return zarr.create_array(
        MemoryStore(documents),
        shape=(spec.rows, spec.height, spec.width),
        dtype=spec.dtype,
        chunks=(1, spec.height, spec.width),
        shards=(spec.shard_size, spec.height, spec.width),
        dimension_names=("image", "y", "x"),
        fill_value=0 if spec.dtype == "uint8" else np.nan,
        chunk_key_encoding={"name": "default", "separator": "."},
        compressors=[
            BloscCodec(
                typesize=spec.stored_dtype.itemsize, cname="zstd", clevel=1, shuffle="bitshuffle"
            ),
            Crc32cCodec(),
        ],
    )


def write_all(layout: StoreLayout, spec: ArraySpec, values: np.ndarray) -> None:
    """Rows that are NaN throughout are skipped."""
    ZARR.write_group(layout, [spec], {})
    for shard in range(spec.shards):
        with ZARR.shard_writer(layout, [spec], shard) as writer:
            for index in range(spec.rows_of(shard)):
                row = values[shard * spec.shard_size + index]
                if np.isnan(row).all():
                    writer.skip(index)
                else:
                    writer.append(index, ZARR.encode_row([spec], {spec.name: row}))
            writer.commit()


@pytest.mark.parametrize("dtype", ["float16", "float32", "uint8"])
def test_array_document_is_the_one_zarr_writes(dtype):
    spec = ArraySpec("dark_field", dtype, 10, 6, 5, 4)
    documents: dict[str, Buffer] = {}
    reference_array(spec, documents)
    assert json.loads(documents["zarr.json"].to_bytes()) == array_document(spec)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize(("rows", "shard_size"), [(8, 4), (10, 4), (3, 1), (1, 7)])
def test_zarr_reads_every_bit(layout, dtype, rows, shard_size):
    spec = ArraySpec("dark_field", dtype, rows, 37, 21, shard_size)
    values = np.random.default_rng(0).normal(size=(rows, 37, 21)).astype(dtype)
    values[0, 0, :3] = [-0.0, np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal]
    values[rows // 2] = np.nan
    write_all(layout, spec, values)
    array = zarr.open_array(layout.root, path="dark_field", mode="r")
    bits = f"u{values.dtype.itemsize}"
    good = ~np.isnan(values).all(axis=(1, 2))
    whole = np.asarray(array[:])
    np.testing.assert_array_equal(whole[good].view(bits), values[good].view(bits))
    np.testing.assert_array_equal(np.isnan(whole), np.isnan(values))
    for row in range(rows):
        np.testing.assert_array_equal(array[row], values[row])
        np.testing.assert_array_equal(ZARR.open_arrays(layout).read("dark_field", row), values[row])


def test_zarr_encodes_the_same_chunks(layout):
    spec = ArraySpec("dark_field", "float16", 1, 64, 64, 1)
    values = np.random.default_rng(0).normal(size=(1, 64, 64)).astype(np.float16)
    write_all(layout, spec, values)
    objects: dict[str, Buffer] = {}
    reference_array(spec, objects)[:] = values
    assert shard_path(layout, "dark_field", 0).read_bytes() == objects["c.0.0.0"].to_bytes()


def test_our_reader_reads_shards_that_zarr_wrote(layout):
    spec = ArraySpec("dark_field", "float32", 5, 9, 8, 2)
    values = np.random.default_rng(0).normal(size=(5, 9, 8)).astype(np.float32)
    ZARR.write_group(layout, [spec], {})
    zarr.open_array(layout.root, path="dark_field", mode="r+")[:] = values
    arrays = ZARR.open_arrays(layout)
    for row in range(5):
        np.testing.assert_array_equal(arrays.read("dark_field", row), values[row])


def test_integer_masks_are_stored_as_they_are(layout):
    spec = ArraySpec("lung_mask", "uint8", 3, 4, 5, 2)
    ZARR.write_group(layout, [spec], {})
    mask = np.arange(20, dtype=np.uint8).reshape(4, 5)
    with ZARR.shard_writer(layout, [spec], 0) as writer:
        writer.append(0, ZARR.encode_row([spec], {"lung_mask": mask}))
        with pytest.raises(StoreError, match="float32"):
            ZARR.encode_row([spec], {"lung_mask": mask.astype(np.float32)})
        writer.skip(1)
        writer.commit()
    array = zarr.open_array(layout.root, path="lung_mask", mode="r")
    np.testing.assert_array_equal(array[0], mask)
    np.testing.assert_array_equal(array[1], np.zeros_like(mask))
    np.testing.assert_array_equal(ZARR.open_arrays(layout).read("lung_mask", 1), array[1])


def test_group_opens_with_attributes_arrays_and_no_warning(small_store):
    group = zarr.open_group(small_store.root)
    assert group.attrs.asdict() == {"schema_version": 1}
    assert sorted(group) == ["aleatoric", "dark_field"]
    array = zarr.open_array(small_store.root, path="dark_field")
    assert isinstance(array.metadata, ArrayV3Metadata)
    assert array.metadata.dimension_names == ("image", "y", "x")


def test_xarray_opens_with_names_and_values(small_store, specs, row_maps):
    with xarray.open_zarr(small_store.root) as dataset:
        assert set(dataset.data_vars) == {"dark_field", "aleatoric"}
        assert dataset.sizes == {"image": 10, "y": 6, "x": 5}
        assert dataset.attrs == {"schema_version": 1}
        assert dataset["dark_field"].dtype == np.float16
        values = dataset["aleatoric"].isel(image=9).to_numpy()
        assert np.isnan(dataset["aleatoric"].isel(image=1)).all()
    np.testing.assert_array_equal(values, row_maps(specs, 9)["aleatoric"])


def test_documents_survive_being_rewritten_by_zarr(small_store, specs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zarr warns of folders that are not arrays, and of v3
        zarr.consolidate_metadata(small_store.root)
    assert set(ZARR.read_group(small_store)[0]) == set(specs)


def test_extending_keeps_what_is_written(small_store, specs, row_maps):
    longer = [ArraySpec(s.name, s.dtype, 17, s.height, s.width, s.shard_size) for s in specs]
    ZARR.write_group(small_store, longer, {"schema_version": 1, "extended": True})
    found, attributes = ZARR.read_group(small_store)
    assert found == tuple(longer)
    assert attributes["extended"] is True
    array = zarr.open_array(small_store.root, path="aleatoric", mode="r")
    assert array.shape == (17, 6, 5)
    np.testing.assert_array_equal(array[9], row_maps(specs, 9)["aleatoric"])


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["codecs"][0]["configuration"]["codecs"].pop(),
        lambda d: d["codecs"][0]["configuration"].update(index_location="start"),
        lambda d: d.update(data_type="float64"),
        lambda d: d.update(fill_value=0),
        lambda d: d.update(shape=[10, 6]),
        lambda d: d.pop("chunk_grid"),
    ],
)
def test_arrays_laid_out_otherwise_are_refused(small_store, change):
    path = group_path(small_store)
    document = json.loads(path.read_text())
    change(document["consolidated_metadata"]["metadata"]["dark_field"])
    path.write_text(json.dumps(document))
    with pytest.raises(StoreError, match="does not describe arrays"):
        ZARR.open_arrays(small_store)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"attributes": {}}'])
def test_damaged_group_document_is_refused(small_store, text):
    group_path(small_store).write_text(text)
    with pytest.raises(StoreError, match="does not describe arrays"):
        ZARR.open_arrays(small_store)


def test_missing_store_is_refused(layout):
    with pytest.raises(StoreError, match="not there"):
        ZARR.open_arrays(layout)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_attributes_outside_json_are_refused_before_anything_is_written(layout, specs, value):
    with pytest.raises(ValueError, match="JSON"):
        ZARR.write_group(layout, specs, {"window": value})
    assert not layout.root.exists()


def test_arrays_that_do_not_fit_together_are_refused(layout, specs):
    other = ArraySpec("epistemic", "float16", 11, 6, 5, 4)
    with pytest.raises(StoreError, match="share rows"):
        ZARR.write_group(layout, [*specs, other], {})
    with pytest.raises(StoreError, match="share a name"):
        ZARR.write_group(layout, [*specs, specs[0]], {})
    with pytest.raises(StoreError, match="at least one array"):
        ZARR.write_group(layout, [], {})


@pytest.mark.parametrize("name", ["", "run", "manifest", "../x", "a/b", "A", "c.0"])
def test_names_that_are_no_array_names_are_refused(name):
    with pytest.raises(StoreError, match="cannot name an array"):
        ArraySpec(name, "float16", 1, 1, 1, 1)


@pytest.mark.parametrize(
    ("dtype", "keepbits"), [("float32", 0), ("float32", 24), ("float16", 9), ("uint8", 8)]
)
def test_mantissa_bits_that_a_type_cannot_keep_are_refused(dtype, keepbits):
    with pytest.raises(StoreError, match=f"{dtype} cannot keep {keepbits} mantissa bits"):
        ArraySpec("a", dtype, 1, 1, 1, 1, keepbits)


def test_specs_without_extent_or_with_unknown_type_are_refused():
    with pytest.raises(StoreError, match="at least 1"):
        ArraySpec("a", "float16", 1, 1, 0, 1)
    unknown: Any = "float64"
    with pytest.raises(StoreError, match="dtype"):
        ArraySpec("a", unknown, 1, 1, 1, 1)
