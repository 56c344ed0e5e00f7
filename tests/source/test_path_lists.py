"""Lists of paths on standard input."""

import io
import os

import pytest

from dfsynth.errors import ErrorCode, ImageError, UsageError
from dfsynth.source import open_source, schema
from dfsynth.source import path_list as module
from dfsynth.source.path_list import PathListSource


@pytest.fixture
def root(make_tree):
    return make_tree({"b/x.png": b"1", "a.png": b"2", "line\nend.png": b"3"})


def listed(content: bytes, root) -> list[str]:
    table = PathListSource(io.BytesIO(content), root).listing().table
    assert table["uri"].equals(table["image_id"])
    return [str(name) for name in table["image_id"].to_pylist()]


@pytest.mark.parametrize(
    "content",
    [
        b"b/x.png\na.png\n",
        b"b/x.png\na.png",
        b"./b/x.png\r\n\r\n./a.png\r\n",
        b"b/x.png\0a.png\0",
        b"b/../b/x.png\0a.png",
    ],
)
def test_one_path_a_line_or_before_each_nul(root, content) -> None:
    assert listed(content, root) == ["b/x.png", "a.png"]


def test_absolute_paths_may_lie_below_the_root(root) -> None:
    content = os.fsencode(root / "a.png") + b"\n/etc/other.png\n../up.png\nC:/x.png\n\xff.png\n"
    listing = PathListSource(io.BytesIO(content), root).listing()
    assert listing.table["image_id"].to_pylist() == ["a.png"]
    assert listing.excluded == {"outside_root": 3, "undecodable_name": 1}
    assert listing.warnings[0].startswith("3 paths of the list lead out of the root")


def test_only_nuls_keep_a_name_with_an_end_of_line_whole(root, items_of) -> None:
    source = PathListSource(io.BytesIO(b"line\nend.png\0"), root)
    assert [source.read(i, 9) for i in items_of(source.listing())] == [b"3"]


def test_blocks_cut_no_path(root, monkeypatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_BYTES", 3)
    monkeypatch.setattr(schema, "CHUNK_ROWS", 2)
    names = [f"{'é' * n}.png" for n in range(1, 9)]
    assert listed("\n".join(names).encode(), root) == names


def test_what_is_listed_but_is_not_there_fails_alone(root, items_of) -> None:
    source = PathListSource(io.BytesIO(b"gone.png\nb\n"), root)
    codes = []
    for item in items_of(source.listing()):
        with pytest.raises(ImageError) as caught:
            source.read(item, 9)
        codes.append(caught.value.code)
    assert codes == [ErrorCode.MISSING, ErrorCode.UNREADABLE]


def test_the_list_is_read_once(root) -> None:
    source = PathListSource(io.BytesIO(b"a.png\n"), root)
    assert source.listing() is source.listing()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no images in the list of paths: found nothing"),
        (b"/etc/x.png\n", "1 × outside_root"),
        (b"a.png\n./a.png\n", r"'a\.png' \(2 times\)"),
    ],
)
def test_lists_that_name_nothing_or_twice(root, content, message) -> None:
    with pytest.raises(UsageError, match=message):
        PathListSource(io.BytesIO(content), root).listing()


def test_a_terminal_is_no_list(root) -> None:
    class Terminal(io.BytesIO):
        def isatty(self) -> bool:
            return True

    with pytest.raises(UsageError, match="found a terminal"):
        PathListSource(Terminal(), root).listing()


def test_the_working_folder_is_the_root_of_a_list(root, monkeypatch) -> None:
    class Stdin:
        buffer = io.BytesIO(b"b/x.png\n")

    monkeypatch.setattr("sys.stdin", Stdin())
    monkeypatch.chdir(root)
    source = open_source("-", None)
    assert source.name == "list:stdin"
    assert source.listing().table["image_id"].to_pylist() == ["b/x.png"]
