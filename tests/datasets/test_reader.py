"""Batches follow from seed and step alone, whoever reads them and in whatever order."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from noise_pairs import NoisePairs

from dfsynth.datasets import BatchReader, collate, read_batch
from dfsynth.errors import UsageError

BUDGET = 10**9


def reader(source=None, rows=range(7), batch=4, seed=0, budget=BUDGET, **more):
    return BatchReader(source or NoisePairs(), tuple(rows), batch, seed, budget, **more)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.integers(1, 12), st.integers(0, 2**40), st.integers(0, 500))
def test_each_pass_sees_every_pair_once(pairs, batch, seed, first_pass):
    with reader(rows=range(100, 100 + pairs), batch=batch, seed=seed) as found:
        start = first_pass * pairs
        steps = range(start // batch, (start + pairs) // batch + 1)
        seen = [index for step in steps for index in found.indices(step)]
    skipped = start - steps[0] * batch
    assert Counter(seen[skipped : skipped + pairs]) == Counter(range(100, 100 + pairs))


def test_orders_differ_between_passes_and_seeds():
    with reader(rows=range(50), batch=50) as one, reader(rows=range(50), batch=50, seed=1) as other:
        orders = {one.indices(0), one.indices(1), other.indices(0), tuple(range(50))}
    assert len(orders) == 4


def test_a_step_gives_the_same_batch_out_of_any_order():
    with reader() as straight, reader() as jumping:
        batches = [straight.batch(step) for step in range(6)]
        for step in (5, 0, 3, 3, 1):
            assert torch.equal(jumping.batch(step).target, batches[step].target)


@pytest.mark.parametrize("world", [1, 2, 4])
def test_the_parts_of_all_processes_are_the_batch_of_one(world):
    with reader() as whole:
        for step in (0, 3, 1000):
            parts = []
            for rank in range(world):
                with reader(rank=rank, world_size=world) as part:
                    parts.append(part.batch(step))
            for name in ("image", "target", "clean", "lung", "lung_weight"):
                joined = torch.cat([getattr(part, name) for part in parts])
                assert torch.equal(joined, getattr(whole.batch(step), name))
            assert [part.first for part in parts] == [4 // world * rank for rank in range(world)]


def test_a_batch_may_be_larger_than_a_pass():
    with reader(rows=range(3), batch=8) as found:
        assert Counter(found.indices(0))[0] in (2, 3)
        assert found.batch(0).image.shape == (8, 1, 16, 16)


def test_what_fits_the_budget_is_read_once():
    source = NoisePairs()
    with reader(source) as found:
        for step in range(4):
            found.batch(step)
        source.reads.clear()
        for step in range(4, 30):
            found.batch(step)
    assert not source.reads


def test_what_does_not_fit_is_read_again_and_equal():
    source = NoisePairs()
    one_pair = 5 * 16 * 16 * 4
    with reader(source, budget=3 * one_pair) as found, reader() as roomy:
        for step in range(20):
            assert torch.equal(found.batch(step).image, roomy.batch(step).image)
    counts = Counter(source.reads)
    # Two threads may read one pair at once before either keeps it.
    assert sum(count <= 2 for count in counts.values()) == 3
    assert sum(count > 5 for count in counts.values()) == 4


def test_a_bad_pair_is_named_where_its_batch_is_asked_for():
    with (
        reader(NoisePairs(bad=(3,)), batch=7) as found,
        pytest.raises(UsageError, match="'n3': bad"),
    ):
        found.batch(0)


def test_what_cannot_be_batched_is_refused():
    with pytest.raises(UsageError, match="found no pair"):
        reader(rows=())
    with pytest.raises(UsageError, match="a batch of 4 cannot be shared by 3 processes"):
        reader(world_size=3)


def test_unknown_maps_are_none_and_padding_is_marked():
    assert read_batch(NoisePairs(masks=False), (0, 1)).lung is None
    assert read_batch(NoisePairs(), (0, 1)).content is None
    padded = read_batch(NoisePairs(content=(slice(0, 16), slice(4, 12))), (5, 2))
    assert padded.content is not None
    assert padded.content.shape == (2, 1, 16, 16)
    assert padded.content.mean() == 0.5
    assert padded.clean is not None
    assert padded.clean[:, 0, 0, 0].tolist() == [5, 2]
    mixed = [NoisePairs().read(0), NoisePairs(masks=False).read(1)]
    assert collate(mixed).clean is None


def test_no_pair_and_two_grids_make_no_batch():
    for pairs in ([], [NoisePairs().read(0), NoisePairs(size=(8, 16)).read(0)]):
        with pytest.raises(ValueError, match="at least one pair, and all of one grid"):
            collate(pairs)
