"""Pictures that are no usual radiograph: of the declared kinds, in range, told apart by name."""

from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfsynth.records import LEARNED_FLAGS, Float32Map
from dfsynth.train.heads import FRONTAL, PICTURES, picture_kinds
from dfsynth.train.heads.fit import FLAGS

MADE_FROM_VOLUMES: Final = {"other", "lateral"}
shapes = st.tuples(st.integers(16, 90), st.integers(16, 90))
seeds = st.integers(0, 2**32 - 1)


def radiograph(shape: tuple[int, int]) -> Float32Map:
    return np.random.default_rng(3).random(shape, np.float32)


@given(shape=shapes, seed=seeds)
def test_every_kind_that_a_radiograph_can_become(shape: tuple[int, int], seed: int) -> None:
    image = radiograph(shape)
    found = picture_kinds(image, np.random.default_rng(seed))
    assert {*found} | MADE_FROM_VOLUMES == {*PICTURES}
    for kind, picture in found.items():
        assert picture.dtype == np.float32, kind
        assert picture.ndim == 2
        assert min(picture.shape) >= 0.4 * min(shape) - 1
        assert np.isfinite(picture).all()
        assert 0 <= picture.min() <= picture.max() <= 1
    np.testing.assert_array_equal(image, radiograph(shape))


def test_a_seed_draws_the_same_pictures() -> None:
    image = radiograph((40, 30))
    one, same, other = (picture_kinds(image, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(one[kind], same[kind]) for kind in one)
    assert any(one[kind].shape != other[kind].shape for kind in one)


@given(seed=seeds)
def test_kinds_are_what_they_say_of_the_usual_picture(seed: int) -> None:
    found = picture_kinds(radiograph((48, 36)), np.random.default_rng(seed))
    usual = found[FRONTAL]
    np.testing.assert_allclose(found["inverted"], 1 - usual, atol=1e-6)
    turns = [np.rot90(usual, times) for times in (1, 2, 3)]
    assert any(np.array_equal(found["turned"], turn) for turn in turns)
    width = found["half_chest"].shape[1]
    halves = (usual[:, :width], usual[:, -width:])
    assert any(np.array_equal(found["half_chest"], half) for half in halves)
    assert 0.4 * usual.shape[1] <= width <= 0.55 * usual.shape[1]
    assert found["devices"].mean() > usual.mean()
    assert found["noise"].shape == usual.shape


def test_what_is_said_of_kinds_are_known_flags() -> None:
    said = frozenset().union(*PICTURES.values())
    assert said == {"ood", *FLAGS}
    assert {*FLAGS} == {*LEARNED_FLAGS}
    assert PICTURES[FRONTAL] == frozenset()


@pytest.mark.parametrize("kind", sorted(PICTURES))
def test_only_frontal_chests_with_or_without_devices_are_as_in_the_training(kind: str) -> None:
    assert ("ood" in PICTURES[kind]) is (kind not in {FRONTAL, "devices"})
