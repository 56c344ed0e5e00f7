"""What `dfsynth show` refuses before a store is opened."""

from pathlib import Path

import pytest

from dfsynth.errors import UsageError
from dfsynth.options import ShowOptions


def test_texts_and_values_take_one_way() -> None:
    texts = ShowOptions.of(store="x.zarr", out="a.png", ids="a,b", root="/r", source="s")
    values = ShowOptions(Path("x.zarr"), Path("a.png"), ids=("a", "b"), root=Path("/r"), source="s")
    assert texts == values


def test_a_source_may_be_a_path() -> None:
    assert ShowOptions.of(store="x.zarr", source=Path("chests")).source == "chests"
    assert ShowOptions.of(store="x.zarr").source is None


def test_the_image_lies_beside_the_store(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ShowOptions.of(store="x.zarr").image_file == tmp_path / "x.zarr.png"
    assert ShowOptions.of(store="x.zarr", out="a.png").image_file == Path("a.png")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"images": 0}, "--images 0: expected 1 or more"),
        ({"worst": 0}, "--worst 0: expected 1 or more"),
        ({"by": "age"}, "--by age: expected --worst N"),
        ({"ids": "a", "worst": 1}, "found --ids and --worst"),
        ({"ids": "a", "where": "age > 3"}, "found --ids and --where"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        ShowOptions.of(store="x.zarr", **options)


@pytest.mark.parametrize("name", ["a", "a.gif", "a.pdf", "a.zarr"])
def test_a_picture_of_another_kind_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"expected a name that ends in \.png, \.jpg"):
        ShowOptions.of(store="x.zarr", out=name)
