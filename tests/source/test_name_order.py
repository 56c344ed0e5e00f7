from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfsynth.errors import UsageError
from dfsynth.source import order
from dfsynth.source.order import NameSorter, in_byte_order, require_unique

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


def chunked(*chunks: list[str]) -> "pa.ChunkedArray[Any]":
    return pa.chunked_array(list(chunks), pa.string())


@given(names=st.lists(NAMES), chunk_rows=st.integers(1, 5))
def test_sorter_gives_byte_order_whatever_the_chunks(names: list[str], chunk_rows: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "CHUNK_ROWS", chunk_rows)
        sorter = NameSorter()
        for name in names:
            sorter.append(name)
        found = [name for block in sorter.blocks() for name in block]
    assert found == sorted(names, key=lambda name: name.encode())


@given(names=st.lists(NAMES, unique=True))
def test_rows_stay_together(names: list[str]) -> None:
    places = pa.chunked_array([list(range(len(names)))], pa.int64())
    chunks = list(in_byte_order({"image_id": chunked(names), "offset": places}))
    lines = [line for chunk in chunks for line in pa.table(chunk).to_pylist()]
    ids = [line["image_id"] for line in lines]
    assert ids == sorted(names, key=lambda name: name.encode())
    assert [names[line["offset"]] for line in lines] == ids


def test_many_names_come_back_in_order() -> None:
    sorter = NameSorter()
    for i in range(200_000):
        sorter.append(f"{(i * 7919) % 200_003:06d}.png")
    previous = ""
    count = 0
    for block in sorter.blocks():
        assert block == sorted(block)
        assert previous < block[0]
        previous = block[-1]
        count += len(block)
    assert count == 200_000


@given(names=st.lists(NAMES))
def test_unique_is_distinguished_from_repeated(names: list[str]) -> None:
    half = len(names) // 2
    ids = chunked(names[:half], names[half:])
    if len(set(names)) == len(names):
        require_unique(ids.chunks, "here")
    else:
        with pytest.raises(UsageError, match="more than once in here"):
            require_unique(ids.chunks, "here")


def test_repeated_ids_are_named_with_their_counts() -> None:
    ids = chunked(["a", "b", "c"], ["b", "d", "b", "e", "d", "f", "a", "c"])
    with pytest.raises(UsageError) as caught:
        require_unique(ids.chunks, "the table t.csv")
    assert "'a' (2 times), 'b' (3 times), 'c' (2 times) and 1 more" in str(caught.value)
