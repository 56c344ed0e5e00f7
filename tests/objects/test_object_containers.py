"""Archives, Parquet shards and tables in an object store: read as those on a disk are."""

import gzip
import random
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import EndpointConnectionError
from object_server import Bucket
from tar_files import tar_of
from value_files import slice_values, write_nifti

from dfsynth.errors import DfsynthError, ErrorCode, ImageError, UsageError
from dfsynth.files import object_file, objects
from dfsynth.files.object_file import RangeFile, ReadAhead
from dfsynth.files.object_path import ObjectPath
from dfsynth.records import SourceItem
from dfsynth.source import Listing, Source, open_source
from dfsynth.source.presence import require_present

Put: TypeAlias = Callable[[str], Path]
ItemsOf: TypeAlias = Callable[[Listing], list[SourceItem]]

LIMIT = 1 << 20
RANDOM = random.Random(7)
IMAGES = {f"{number % 3}/{number:02}.png": RANDOM.randbytes(9_000) for number in range(12)}
TABLE = b"path,patient_id\n0/00.png,p1\n1/01.png,p2\n"


def write_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number, (name, content) in enumerate(IMAGES.items()):
            archive.writestr(name, content, [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED][number % 2])


def write_shard(path: Path) -> None:
    rows = [{"bytes": content, "path": name} for name, content in IMAGES.items()]
    sex = ["F", "M"] * (len(rows) // 2)
    pq.write_table(pa.table({"image": rows, "sex": sex}), path, row_group_size=5)


WRITERS: dict[str, Callable[[Path], object]] = {
    "x.zip": write_zip,
    "x.tar": lambda path: path.write_bytes(tar_of(IMAGES)),
    "x.tar.gz": lambda path: path.write_bytes(gzip.compress(tar_of(IMAGES))),
    "train-0.parquet": write_shard,
}


@pytest.fixture
def put(bucket: Bucket, tmp_path: Path) -> Put:
    """Writes a container to the disk and puts the same into the bucket, below `chests`."""

    def put(name: str) -> Path:
        path = tmp_path / "chests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        WRITERS[path.name](path)
        bucket.put(f"chests/{name}", path.read_bytes())
        return path

    return put


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each request for a part of an object asked for."""
    asked: list[int] = []
    fetch = objects.fetch

    def count(path: ObjectPath, end: int, start: int) -> bytes | None:
        asked.append(end - start)
        return fetch(path, end, start=start)

    monkeypatch.setattr(object_file, "fetch", count)
    return asked


def contents(source: Source, items: list[SourceItem]) -> list[bytes]:
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda item: source.read(item, LIMIT), items))


def require_same(ours: Source, theirs: Source, items_of: ItemsOf) -> None:
    listing, expected = ours.listing(), theirs.listing()
    assert ours.name == theirs.name
    assert listing.table.equals(expected.table)
    assert (listing.excluded, listing.warnings) == (expected.excluded, expected.warnings)
    assert ours.watched == ()
    items = items_of(listing)
    assert contents(ours, items[::-1]) == contents(theirs, items[::-1])


@pytest.fixture
def items_of() -> ItemsOf:
    def items(listing: Listing) -> list[SourceItem]:
        lines = listing.table.select(["image_id", "uri", "offset", "size_bytes"]).to_pylist()
        return [SourceItem(row=row, shard=0, **line) for row, line in enumerate(lines)]

    return items


@pytest.mark.parametrize("name", WRITERS)
def test_a_container_is_read_as_one_on_a_disk(
    bucket: Bucket, put: Put, items_of: ItemsOf, name: str
) -> None:
    path = put(name)
    require_same(
        open_source(f"{bucket.url}/chests/{name}", None), open_source(str(path), None), items_of
    )


@pytest.mark.parametrize("names", [["0/x.zip", "1/x.tar", "x.tar.gz"], ["a/train-0.parquet"]])
def test_a_folder_of_nothing_else_is_read_container_by_container(
    bucket: Bucket, put: Put, items_of: ItemsOf, names: list[str]
) -> None:
    for name in names:
        put(name)
    folder = put(names[0]).parents[names[0].count("/")]
    (folder / "labels.csv").write_bytes(b"1")
    bucket.put("chests/labels.csv", b"1")
    bucket.put("chests/old.zarr/manifest/part-0.parquet", b"no input")
    ours = open_source(f"{bucket.url}/chests/", None)
    assert ours.listing().excluded == {"not_an_image_suffix:.csv": 1, "store": 1}
    bucket.remove("chests/old.zarr/manifest/part-0.parquet")
    require_same(ours, open_source(str(folder), None), items_of)


def test_containers_beside_images_are_left_out_and_said_to_be(bucket: Bucket, put: Put) -> None:
    put("x.zip")
    bucket.put("chests/a.png", b"1")
    listing = open_source(f"{bucket.url}/chests", None).listing()
    assert listing.table["uri"].to_pylist() == ["a.png"]
    assert listing.excluded == {"archive": 1}
    (warning,) = listing.warnings
    assert warning.startswith("archives in the folder are not read: x.zip; unpack them")


@pytest.mark.parametrize("names", [["0/x.zip", "1/x.zip"], ["a/train-0.parquet"]])
def test_a_pattern_of_containers(
    bucket: Bucket, put: Put, items_of: ItemsOf, names: list[str]
) -> None:
    paths = [put(name) for name in names]
    bucket.put("chests/a.png", b"1")
    pattern = f"*/*{Path(names[0]).suffix}"
    require_same(
        open_source(f"{bucket.url}/chests/{pattern}", None),
        open_source(f"{paths[0].parents[1]}/{pattern}", None),
        items_of,
    )


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_slices_of_volumes(bucket: Bucket, tmp_path: Path, items_of: ItemsOf, name: str) -> None:
    volume = np.stack([slice_values(seed) for seed in range(3)])
    (tmp_path / "chests").mkdir()
    path = write_nifti(tmp_path / "chests" / name, volume)
    for below in ("p1/", "p2/", ""):
        bucket.put(f"chests/{below}{name}", path.read_bytes())
        (path.parent / below).mkdir(exist_ok=True)
        (path.parent / below / name).write_bytes(path.read_bytes())
    bucket.put("chests/p1/slice.tif", b"1")
    (path.parent / "p1" / "slice.tif").write_bytes(b"1")
    here = str(path.parent)
    for below in ("", f"/{name}", "/p*/*.nii*"):
        ours = open_source(f"{bucket.url}/chests{below}", None, volumes=True)
        require_same(ours, open_source(here + below, None, volumes=True), items_of)
    listed = open_source(f"{bucket.url}/chests", None, volumes=True).listing().table
    assert listed["patient_id"].to_pylist()[:4] == [name] * 3 + [f"p1/{name}"]


def test_the_column_of_images_may_be_named(
    bucket: Bucket, tmp_path: Path, items_of: ItemsOf
) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"png": [b"1", b"2"], "jpg": [b"x", b"y"]}), path)
    bucket.put("s/x.parquet", path.read_bytes())
    for below, name in (("s/x.parquet", "parquet:x.parquet::png"), ("", "folder:{}::png")):
        source = open_source(f"{bucket.url}/{below}::png", None)
        assert source.name == name.format(bucket.name)
        assert contents(source, items_of(source.listing())) == [b"1", b"2"]


@pytest.mark.parametrize("name", ["x.zip", "x.tar"])
def test_a_member_is_one_request_of_its_size(
    bucket: Bucket, put: Put, items_of: ItemsOf, requests: list[int], name: str
) -> None:
    put(name)
    source = open_source(f"{bucket.url}/chests/{name}", None)
    items = items_of(source.listing())
    requests.clear()
    for item in items:
        source.read(item, LIMIT)
    assert len(requests) == len(items)
    assert max(requests) < 9_000 + 5_000


@pytest.mark.parametrize("name", ["x.tar.gz", "train-0.parquet"])
def test_what_is_read_in_order_is_fetched_once(
    bucket: Bucket, put: Put, items_of: ItemsOf, requests: list[int], name: str
) -> None:
    put(name)
    listed = items_of(open_source(f"{bucket.url}/chests/{name}", None).listing())
    source = open_source(f"{bucket.url}/chests/{name}", None)
    requests.clear()
    for item in listed:
        source.read(item, LIMIT)
    assert len(requests) <= 6


@pytest.mark.parametrize("name", WRITERS)
def test_one_that_is_gone_ends_the_run(
    bucket: Bucket, put: Put, items_of: ItemsOf, name: str
) -> None:
    put(name)
    items = items_of(open_source(f"{bucket.url}/chests/{name}", None).listing())
    source = open_source(f"{bucket.url}/chests/{name}", None)
    bucket.remove(f"chests/{name}")
    for _ in range(2):
        with pytest.raises(DfsynthError, match=f"{name} is not there: expected the object"):
            source.read(items[0], LIMIT)


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "train-0.parquet"])
def test_one_that_was_put_anew_ends_the_run(
    bucket: Bucket, put: Put, items_of: ItemsOf, name: str
) -> None:
    put(name)
    source = open_source(f"{bucket.url}/chests/{name}", None)
    items = items_of(source.listing())
    source.read(items[0], LIMIT)
    bucket.put(f"chests/{name}", random.Random(1).randbytes(200_000))
    with pytest.raises(DfsynthError, match="is not the one that was planned"):
        source.read(items[-1], LIMIT)


def test_a_damaged_member_is_one_failed_image(bucket: Bucket, put: Put, items_of: ItemsOf) -> None:
    content = bytearray(put("x.zip").read_bytes())
    at = content.index(IMAGES["0/00.png"])
    content[at] ^= 1
    bucket.put("chests/x.zip", bytes(content))
    source = open_source(f"{bucket.url}/chests/x.zip", None)
    first, second, *_ = items_of(source.listing())
    with pytest.raises(ImageError) as caught:
        source.read(first, LIMIT)
    assert caught.value.code is ErrorCode.CORRUPT
    assert source.read(second, LIMIT) == IMAGES[second.image_id]


@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz", "x.parquet"])
def test_what_is_no_container_is_said_to_be_damaged(bucket: Bucket, name: str) -> None:
    bucket.put(name, b"\x1f\x8bnothing")
    spec = f"{bucket.url}/{name}" + ("::image" if name == "x.parquet" else "")
    with pytest.raises(DfsynthError, match="is damaged"):
        open_source(spec, None).listing()


@pytest.mark.parametrize("name", ["x.zip", "x.csv", "x.parquet"])
def test_an_object_that_is_not_there_is_wrong_usage(bucket: Bucket, name: str) -> None:
    with pytest.raises(UsageError, match=f"there is no object {bucket.url}/{name}"):
        open_source(f"{bucket.url}/{name}", None)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_a_table_names_objects_beside_it(
    bucket: Bucket, tmp_path: Path, items_of: ItemsOf, suffix: str
) -> None:
    path = tmp_path / f"t{suffix}"
    if suffix == ".parquet":
        lines = {"path": ["0/00.png", "1/01.png"], "patient_id": ["p1", "p2"]}
        pq.write_table(pa.table(lines), path)
    else:
        path.write_bytes(TABLE if suffix == ".csv" else gzip.compress(TABLE))
    bucket.put(f"chests/t{suffix}", path.read_bytes())
    bucket.put("chests/0/00.png", b"1")
    bucket.put("chests/1/01.png", b"2")

    source = open_source(f"{bucket.url}/chests/t{suffix}", None)
    listing = source.listing()

    assert (source.name, source.watched) == (f"table:t{suffix}", ())
    assert listing.table["patient_id"].to_pylist() == ["p1", "p2"]
    require_present(source, listing.rows)
    assert contents(source, items_of(listing)) == [b"1", b"2"]


def test_a_table_in_the_store_names_what_lies_below_any_root(
    bucket: Bucket, tmp_path: Path, items_of: ItemsOf
) -> None:
    bucket.put("t.csv", TABLE)
    bucket.put("elsewhere/0/00.png", b"1")
    bucket.put("elsewhere/1/01.png", b"2")
    for name in ("0/00.png", "1/01.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"here")
    for root, expected in (
        (ObjectPath.parse(f"{bucket.url}/elsewhere"), [b"1", b"2"]),
        (tmp_path, [b"here", b"here"]),
    ):
        source = open_source(f"{bucket.url}/t.csv", root)
        assert contents(source, items_of(source.listing())) == expected


def test_whoever_reads_on_asks_for_more_and_more_at_once() -> None:
    whole, asked = bytes(40 << 20), []

    def read_at(offset: int, size_bytes: int) -> bytes:
        asked.append(size_bytes)
        return whole[offset : offset + size_bytes]

    ahead = ReadAhead(read_at)
    for offset in range(0, len(whole), 1 << 15):
        assert len(ahead.read_at(offset, 1 << 15)) == 1 << 15
    assert asked[:4] == [1 << 16, 1 << 17, 1 << 18, 1 << 19]
    assert max(asked) == 1 << 23
    asked.clear()
    for offset in (30 << 20, 0, 20 << 20):
        ahead.read_at(offset, 512)
    assert asked == [1 << 16] * 3


def test_a_range_file_is_read_as_a_file() -> None:
    content = random.Random(3).randbytes(1000)
    file = RangeFile(lambda offset, size: content[offset : offset + size], len(content))
    assert file.seek(-10, 2) == 990
    assert file.read(100) == content[990:]
    assert file.read(1) == b""
    file.seek(5)
    assert (file.read(3), file.tell(), file.seek(2, 1)) == (content[5:8], 8, 10)
    assert file.read() == content[10:]
    with pytest.raises(OSError, match="no place -1"):
        file.seek(-1)


def test_a_store_that_fails_in_mid_read_fails_no_image(
    bucket: Bucket, put: Put, items_of: ItemsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in WRITERS:
        theirs = open_source(str(put(name)), None)
        items = items_of(theirs.listing())
        source = open_source(f"{bucket.url}/chests/{name}", None)
        with monkeypatch.context() as patch:
            patch.setattr(objects.filesystem(), "cat_file", _time_out)
            with pytest.raises(DfsynthError, match="does not answer") as caught:
                source.read(items[1], LIMIT)
        assert not isinstance(caught.value, ImageError)
        assert contents(source, items) == contents(theirs, items)


def _time_out(*_: object, **__: object) -> bytes:
    raise EndpointConnectionError(endpoint_url="http://nowhere")
