"""Radiographs in an object store as a source: what is listed, read, refused, and never printed."""

import io
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from object_server import KEY_ID, SECRET, Bucket

from dfsynth.errors import DfsynthError, ErrorCode, ImageError, UsageError
from dfsynth.files import objects
from dfsynth.files.object_path import ObjectPath
from dfsynth.records import SourceItem
from dfsynth.source import open_source
from dfsynth.source.presence import require_present


def item(uri: str) -> SourceItem:
    return SourceItem(row=0, shard=0, image_id=uri, uri=uri)


def test_a_folder_of_objects_is_listed_as_a_folder_on_a_disk_is(
    bucket: Bucket, tmp_path: Path
) -> None:
    files = {
        "b/2.png": b"2",
        "a.png": b"1",
        "b-c/é x.png": b"3",
        ".hidden/x.png": b"h",
        "labels.csv": b"t",
        "x.zip": b"z",
        "old.zarr/zarr.json": b"{}",
        "old.zarr/dark_field/c.0.0.0": b"s",
        "renamed/zarr.json": b"{}",
        "renamed/dark_field/c.0.0.0": b"s",
        "run.h5": b"v",
        "run.h5.parts/0.h5": b"p",
    }
    for name, content in files.items():
        bucket.put(f"chests/{name}", content)
        path = tmp_path / "chests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    bucket.put("chests/", b"")
    bucket.put("chests-2/other.png", b"o")

    found = open_source(f"{bucket.url}/chests/", None)
    local = open_source(str(tmp_path / "chests"), None)

    assert found.name == local.name == "folder:chests"
    listing, expected = found.listing(), local.listing()
    assert listing.table.equals(expected.table)
    assert listing.excluded["store"] == expected.excluded["store"] == 4
    assert set(listing.excluded.values()) == {1, 4}
    assert [found.read(item(line["uri"]), 10) for line in listing.table.to_pylist()] == [
        b"1",
        b"3",
        b"2",
    ]


def test_more_objects_than_one_page_of_the_store(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "PAGE_KEYS", 2)
    names = [f"{number}.png" for number in range(5)]
    for name in names:
        bucket.put(name, b"x")

    assert open_source(bucket.url, None).listing().table["uri"].to_pylist() == names


@pytest.mark.parametrize("key", ["a b+c%20.png", "ä/ö.png", "x#?.png", "a//b.png"])
def test_any_name_can_be_read(bucket: Bucket, key: str) -> None:
    bucket.put(f"p/{key}", b"content")
    source = open_source(f"{bucket.url}/p", None)

    (line,) = source.listing().table.to_pylist()

    assert source.read(item(line["uri"]), 7) == b"content"


@pytest.mark.parametrize(
    ("content", "most", "code"),
    [
        (None, 5, ErrorCode.MISSING),
        (b"", 5, ErrorCode.EMPTY),
        (b"123456", 5, ErrorCode.TOO_LARGE),
        (b"1", 0, ErrorCode.TOO_LARGE),
    ],
)
def test_an_object_that_cannot_be_read_is_one_failed_image(
    bucket: Bucket, content: bytes | None, most: int, code: ErrorCode
) -> None:
    if content is not None:
        bucket.put("x.png", content)

    with pytest.raises(ImageError) as caught:
        open_source(bucket.url, None).read(item("x.png"), most)

    assert caught.value.code is code


def test_a_table_on_this_machine_names_objects(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("chests/a.png", b"1")
    bucket.put("chests/b.png", b"2")
    table = tmp_path / "t.csv"
    lines = ["a.png", f"{bucket.url}/chests/b.png", f"{bucket.url}/other/c.png", "../d.png"]
    table.write_text("path\n" + "\n".join(lines) + "\n")

    source = open_source(str(table), ObjectPath.parse(f"{bucket.url}/chests"))
    listing = source.listing()

    assert listing.table["uri"].to_pylist() == ["a.png", "b.png"]
    assert listing.excluded == {"outside_root": 2}
    assert source.read(item("b.png"), 5) == b"2"


def test_a_table_whose_objects_are_elsewhere_is_refused(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("chests/a.png", b"1")
    table = tmp_path / "t.csv"
    table.write_text("path\na.png\n")
    source = open_source(str(table), ObjectPath.parse(f"{bucket.url}/other"))

    with pytest.raises(UsageError, match=r"a\.png below s3://.*/other; give the folder"):
        require_present(source, source.listing().rows)


def test_a_list_on_standard_input_names_objects(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("a.png", b"1")
    stream = io.BytesIO(b"a.png\n")
    stream.isatty = lambda: False  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=stream))

    source = open_source("-", ObjectPath.parse(bucket.url))

    assert source.listing().table["uri"].to_pylist() == ["a.png"]
    assert source.read(item("a.png"), 5) == b"1"


def test_a_bucket_that_is_not_there_is_wrong_usage(bucket: Bucket) -> None:
    source = open_source("s3://no-such-bucket/x", None)

    for ask in (source.listing, lambda: source.read(item("a.png"), 5)):
        with pytest.raises(UsageError, match=r"there is no bucket 'no-such-bucket'"):
            ask()


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("s3://", "names no bucket"),
        ("s3:///x", "names no bucket"),
    ],
)
def test_what_cannot_be_read_from_an_object_store_is_refused(spec: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        open_source(spec, None)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError, match="before its bucket") as caught:
        open_source(f"s3://{KEY_ID}:{SECRET}@bucket/x", None)

    assert SECRET not in str(caught.value)
    assert KEY_ID not in str(caught.value)


def refused(code: str, status: int) -> Callable[..., bytes]:
    def fail(*_: object, **__: object) -> bytes:
        from botocore.exceptions import ClientError
        from s3fs.errors import translate_boto_error

        message = f"{SECRET} of {KEY_ID} is wrong"
        answer = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        raise translate_boto_error(ClientError(answer, "GetObject"))

    return fail


@pytest.mark.parametrize(
    "pattern",
    ["chests/**.dcm", "chests/p?/*/x.dcm", "chests/p1/s1/{x,y}.dcm", "**.dcm", "chests/q*/**"],
)
def test_a_pattern_names_what_it_names_on_a_disk(
    bucket: Bucket, tmp_path: Path, pattern: str
) -> None:
    for name in ("p1/s1/x.dcm", "p1/s1/y.dcm", "p2/s1/x.dcm", "q/x.dcm", "q/old.zarr/x.dcm"):
        bucket.put(f"chests/{name}", name.encode())
        path = tmp_path / bucket.name / "chests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())

    ours = open_source(f"{bucket.url}/{pattern}", None)
    theirs = open_source(f"{tmp_path / bucket.name}/{pattern}", None)

    assert (ours.name, ours.watched) == (theirs.name, ())
    listing, expected = ours.listing(), theirs.listing()
    assert listing.table.equals(expected.table)
    assert (listing.excluded, listing.warnings) == (expected.excluded, expected.warnings)
    for line in listing.table.to_pylist():
        assert ours.read(item(line["uri"]), 99) == theirs.read(item(line["uri"]), 99)


def test_patterns_that_name_nothing_or_what_is_lost(bucket: Bucket) -> None:
    bucket.put("p/a.png", b"1")
    for pattern, said in (
        ("p/{a,b}.png", r"not in s3://.*/p: 1 of 2 files named by .*, the first of them b\.png"),
        ("p/*.dcm", r"no images in the paths \*\.dcm below s3://.*/p"),
        ("p/[z-a].png", "cannot be read"),
    ):
        with pytest.raises(UsageError, match=said):
            open_source(f"{bucket.url}/{pattern}", None).listing()


def test_what_is_called_like_a_pattern_is_no_pattern(bucket: Bucket) -> None:
    bucket.put("chests [old]/a.png", b"1")
    source = open_source(f"{bucket.url}/chests [old]", None)
    assert source.listing().table["uri"].to_pylist() == ["a.png"]


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("InvalidAccessKeyId", 403, "credentials are missing, wrong or have expired"),
        ("ExpiredToken", 400, "credentials are missing, wrong or have expired"),
        ("SlowDown", 503, "overloaded"),
        ("AccessDenied", 403, "permission is denied"),
    ],
)
def test_a_store_that_refuses_ends_the_run_and_its_message_is_not_repeated(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, code: str, status: int, said: str
) -> None:
    fail = refused(code, status)
    client = SimpleNamespace(cat_file=fail, call_s3=fail)
    monkeypatch.setattr(objects, "filesystem", lambda: client)

    with pytest.raises(DfsynthError, match=said) as caught:
        open_source(bucket.url, None).read(item("a.png"), 5)

    assert type(caught.value) is DfsynthError
    assert SECRET not in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_an_object_that_alone_is_denied_is_one_failed_image(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = objects.filesystem()
    client = SimpleNamespace(cat_file=refused("AccessDenied", 403), call_s3=real.call_s3)
    monkeypatch.setattr(objects, "filesystem", lambda: client)

    with pytest.raises(ImageError) as caught:
        open_source(bucket.url, None).read(item("a.png"), 5)

    assert caught.value.code is ErrorCode.UNREADABLE


def test_without_the_library_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(objects, "client_of", objects.client_of.__wrapped__)
    monkeypatch.setitem(sys.modules, "s3fs", None)

    with pytest.raises(UsageError, match=r"s3fs, which is not installed.*dfsynth\[s3\]"):
        open_source("s3://bucket/x", None).listing()
