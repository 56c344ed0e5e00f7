"""Rows and shards of a store that was planned more than once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfsynth.store.cut import Cut


@given(
    size=st.integers(1, 9), segments=st.lists(st.integers(1, 30), min_size=1, max_size=5).map(tuple)
)
def test_every_input_has_a_row_of_its_own_in_its_shard(size, segments):
    cut = Cut(size, segments)
    rows = [row for shard in range(cut.shards) for row in cut.rows_of(shard)]
    assert len(rows) == len(set(rows)) == cut.inputs == sum(segments)
    assert rows == sorted(rows)
    assert rows[-1] + 1 == cut.rows
    for shard in range(cut.shards):
        assert {row // size for row in cut.rows_of(shard)} == {shard}


@given(size=st.integers(1, 9), first=st.integers(1, 30), more=st.integers(1, 30))
def test_an_extension_moves_no_row(size, first, more):
    cut = Cut(size, (first,))
    longer = cut.extended(more)
    for shard in range(cut.shards):
        assert longer.rows_of(shard) == cut.rows_of(shard)
    assert longer.inputs == first + more


@pytest.mark.parametrize("shard", [-1, 3])
def test_a_shard_that_is_none_is_refused(shard):
    with pytest.raises(IndexError, match="there is no shard"):
        Cut(4, (5, 4)).rows_of(shard)
