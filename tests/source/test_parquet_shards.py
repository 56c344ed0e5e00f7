"""Parquet shards with images inside, as the loaders of data-set hubs write and read them."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dfsynth.errors import DfsynthError, ErrorCode, ImageError, UsageError
from dfsynth.source import open_source

LIMIT = 1 << 20
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write_shard(
    path: Path, images: list[Any], kind: pa.DataType = IMAGE, **columns: list[Any]
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"image": pa.array(images, kind), **columns})
    pq.write_table(table, path, row_group_size=3)
    return path


def images(count: int, salt: str = "") -> list[dict[str, Any]]:
    return [
        {"bytes": f"{salt}image {n}".encode(), "path": f"/home/me/{n}.png"} for n in range(count)
    ]


def test_rows_are_images_with_facts(tmp_path, items_of) -> None:
    path = write_shard(
        tmp_path / "cxr.parquet",
        images(2),
        Patient_ID=[7, 8],
        sex=["F", None],
        age=[61, 40],
        text=["a", "b"],
    )
    source = open_source(str(path), None)
    listing = source.listing()
    assert source.name == "parquet:cxr.parquet"
    lines = listing.table.select(["image_id", "patient_id", "sex", "age", "split"]).to_pylist()
    assert lines == [
        {"image_id": "0/0.png", "patient_id": "7", "sex": "F", "age": 61.0, "split": None},
        {"image_id": "1/1.png", "patient_id": "8", "sex": None, "age": 40.0, "split": None},
    ]
    again = open_source(str(path), None)
    assert [again.read(i, LIMIT) for i in items_of(listing)] == [b"image 0", b"image 1"]


def test_a_folder_of_nothing_but_shards_is_a_source(tmp_path, items_of) -> None:
    for split in ("train", "test"):
        for number in range(2):
            name = f"{split}-0000{number}-of-00002.parquet"
            write_shard(tmp_path / "data" / name, images(4, f"{split}{number}"))
    pq.write_table(pa.table({"path": ["a.png"]}), tmp_path / "paths.parquet")
    source = open_source(str(tmp_path), None)
    listing = source.listing()
    lines = listing.table.to_pylist()
    assert lines[0]["image_id"] == "data/test-00000-of-00002.parquet/0/0.png"
    assert [line["split"] for line in lines] == ["test"] * 8 + ["train"] * 8
    assert listing.excluded == {"not_an_image_suffix:.parquet": 1}
    again = open_source(str(tmp_path), None)
    found = [again.read(i, LIMIT).decode() for i in items_of(listing)]
    assert found == [
        f"{split}{number}image {n}"
        for split in ("test", "train")
        for number in range(2)
        for n in range(4)
    ]


def test_shards_beside_images_are_left_out(tmp_path, ids_of) -> None:
    write_shard(tmp_path / "x.parquet", images(2))
    (tmp_path / "a.png").write_bytes(b"1")
    listing = open_source(str(tmp_path), None).listing()
    assert ids_of(listing) == ["a.png"]
    assert listing.excluded == {"not_an_image_suffix:.parquet": 1}


def test_a_table_of_paths_stays_a_table(tmp_path, ids_of) -> None:
    digest = pa.array([b"1"], pa.binary())
    table = pa.table({"path": ["a.png"], "sex": ["F"], "md5": digest})
    pq.write_table(table, tmp_path / "t.parquet")
    source = open_source(str(tmp_path / "t.parquet"), None)
    assert source.name == "table:t.parquet"
    assert ids_of(source.listing()) == ["a.png"]
    assert ids_of(open_source(f"{tmp_path}/t.parquet::md5", None).listing()) == ["0"]


def test_given_ids_stay_as_they_are(tmp_path, ids_of) -> None:
    for number in range(2):
        ids = [f"p{number}-{n}" for n in range(2)]
        write_shard(tmp_path / f"{number}.parquet", images(2), image_id=ids)
    listing = open_source(str(tmp_path / "*.parquet"), None).listing()
    assert ids_of(listing) == ["p0-0", "p0-1", "p1-0", "p1-1"]
    write_shard(tmp_path / "2.parquet", images(1), image_id=["p0-1"])
    with pytest.raises(UsageError, match=r"'p0-1' \(2 times\)"):
        open_source(str(tmp_path / "*.parquet"), None).listing()


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_columns_of_plain_bytes(tmp_path, ids_of, items_of, kind) -> None:
    source = open_source(str(write_shard(tmp_path / "x.parquet", [b"1", b"2"], kind)), None)
    listing = source.listing()
    assert ids_of(listing) == ["0", "1"]
    assert [source.read(i, LIMIT) for i in items_of(listing)] == [b"1", b"2"]


def test_one_of_several_columns_is_named(tmp_path, items_of) -> None:
    path = tmp_path / "x.parquet"
    left, right = pa.array(images(1, "left"), IMAGE), pa.array(images(1, "right"), IMAGE)
    pq.write_table(pa.table({"left": left, "right": right}), path)
    with pytest.raises(UsageError, match=r"several columns of images: found 'left', 'right'"):
        open_source(str(path), None).listing()
    for spec in (f"{path}::right", f"{tmp_path}::right", f"{tmp_path}/*.parquet::right"):
        source = open_source(spec, None)
        assert source.name.endswith("::right")
        assert [source.read(i, LIMIT) for i in items_of(source.listing())] == [b"rightimage 0"]
    with pytest.raises(UsageError, match=r"no column of images called 'up'"):
        open_source(f"{path}::up", None).listing()


@pytest.mark.parametrize(
    ("column", "many", "values", "findings"),
    [
        ("label", False, [1, 0, -1, None], [["Mass"], ["No Finding"], None, None]),
        ("labels", True, [[0, 1], [], None, [9]], [["No Finding", "Mass"], [], None, None]),
    ],
)
def test_numbered_classes_are_findings(tmp_path, column, many, values, findings) -> None:
    classes = {"names": ["No Finding", "Mass"], "_type": "ClassLabel"}
    kept = {"info": {"features": {column: {"feature": classes} if many else classes}}}
    table = pa.table({"image": pa.array(images(4), IMAGE), column: values})
    table = table.replace_schema_metadata({"huggingface": json.dumps(kept)})
    pq.write_table(table, tmp_path / "x.parquet")
    listing = open_source(str(tmp_path / "x.parquet"), None).listing()
    assert listing.table["findings"].to_pylist() == findings


@pytest.mark.parametrize("kept", ["{", "[]", '{"info": {"features": {"label": {"names": "ab"}}}}'])
def test_numbers_without_names_are_no_findings(tmp_path, kept) -> None:
    table = pa.table({"image": pa.array(images(1), IMAGE), "label": [0]})
    pq.write_table(table.replace_schema_metadata({"huggingface": kept}), tmp_path / "x.parquet")
    listing = open_source(str(tmp_path / "x.parquet"), None).listing()
    assert listing.table["findings"].null_count == 1


def test_a_row_without_bytes_fails_alone(tmp_path, items_of) -> None:
    rows = [{"bytes": b"", "path": "a"}, {"bytes": None, "path": "b"}, None, images(1)[0]]
    source = open_source(str(write_shard(tmp_path / "x.parquet", rows)), None)
    *bad, good = items_of(source.listing())
    for item, code in zip(
        bad, [ErrorCode.EMPTY, ErrorCode.MISSING, ErrorCode.MISSING], strict=True
    ):
        with pytest.raises(ImageError) as caught:
            source.read(item, LIMIT)
        assert caught.value.code is code
    assert source.read(good, LIMIT) == b"image 0"
    with pytest.raises(ImageError) as caught:
        source.read(good, 3)
    assert caught.value.code is ErrorCode.TOO_LARGE


def test_any_order_and_many_threads_give_each_row_its_own(tmp_path, items_of) -> None:
    source = open_source(str(write_shard(tmp_path / "x.parquet", images(40))), None)
    items = [*items_of(source.listing())] * 3
    random.Random(0).shuffle(items)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda item: source.read(item, LIMIT), items))
    assert found == [f"image {item.row}".encode() for item in items]


def test_rows_in_their_order_read_each_row_group_once(tmp_path, items_of, monkeypatch) -> None:
    source = open_source(str(write_shard(tmp_path / "x.parquet", images(9))), None)
    items = list(items_of(source.listing()))
    begun: list[list[int]] = []
    iter_batches = pq.ParquetFile.iter_batches

    def counted(self, *args, **options):
        begun.append(options["row_groups"])
        return iter_batches(self, *args, **options)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", counted)
    for item in items:
        source.read(item, LIMIT)
    assert begun == [[0], [1], [2]]


def test_a_shard_written_anew_ends_the_run(tmp_path, items_of) -> None:
    path = write_shard(tmp_path / "x.parquet", images(4))
    items = list(items_of(open_source(str(path), None).listing()))
    write_shard(path, images(4, "other "))
    with pytest.raises(DfsynthError, match="is not the one that was planned") as caught:
        open_source(str(path), None).read(items[0], LIMIT)
    assert not isinstance(caught.value, ImageError)
    gone = open_source(str(path), None)
    path.unlink()
    with pytest.raises(DfsynthError, match="cannot open the archive"):
        gone.read(items[0], LIMIT)


def test_a_damaged_page_fails_its_rows_alone(tmp_path, items_of) -> None:
    path = write_shard(tmp_path / "x.parquet", images(9))
    source = open_source(str(path), None)
    items = list(items_of(source.listing()))
    column = pq.ParquetFile(path).metadata.row_group(1).column(0)
    start = column.dictionary_page_offset or column.data_page_offset
    content = bytearray(path.read_bytes())
    content[start : start + column.total_compressed_size] = bytes(column.total_compressed_size)
    path.write_bytes(content)
    outcomes: list[bytes | ErrorCode] = []
    for item in items:
        try:
            outcomes.append(source.read(item, LIMIT))
        except ImageError as error:
            outcomes.append(error.code)
    good = [f"image {n}".encode() for n in range(9)]
    assert outcomes == [*good[:3], *[ErrorCode.CORRUPT] * 3, *good[6:]]


def test_a_shard_without_rows_adds_none(tmp_path, ids_of) -> None:
    classes = {"info": {"features": {"label": {"names": ["Mass"]}}}}
    table = pa.table({"image": pa.array([], IMAGE), "sex": pa.array([], pa.string())})
    table = table.append_column("label", pa.array([], pa.int64()))
    table = table.replace_schema_metadata({"huggingface": json.dumps(classes)})
    pq.write_table(table, tmp_path / "0.parquet")
    with pytest.raises(UsageError, match=r"no images in the shard 0\.parquet"):
        open_source(f"{tmp_path}/0.parquet", None).listing()
    write_shard(tmp_path / "1.parquet", images(1))
    assert ids_of(open_source(str(tmp_path), None).listing()) == ["1.parquet/0/0.png"]


def test_what_is_no_shard_is_reported(tmp_path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"no Parquet at all")
    with pytest.raises(DfsynthError, match=r"x\.parquet is damaged or is no Parquet file"):
        open_source(f"{tmp_path}/x.parquet::image", None).listing()
