"""The stream of masks, frozen: a store built today must resume in years."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfsynth.inference import dropout_masks

IDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def kept(seed: int, image_id: str, samples: int, channels: int, dropout: float) -> list[str]:
    masks = dropout_masks(seed, image_id, samples, channels, dropout)
    return ["".join("1" if value else "0" for value in row) for row in masks]


def test_the_stream_is_what_it_always_was() -> None:
    assert kept(0, "a", 2, 8, 0.3) == ["11111110", "01101101"]
    assert kept(7, "bild/ö.png", 1, 8, 0.5) == ["11101111"]


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**63), IDS, st.integers(1, 30), st.integers(1, 30), st.integers(1, 70))
def test_a_sample_does_not_depend_on_how_many_follow(
    seed: int, image_id: str, samples: int, more: int, channels: int
) -> None:
    short = dropout_masks(seed, image_id, samples, channels, 0.3)
    long = dropout_masks(seed, image_id, samples + more, channels, 0.3)
    assert np.array_equal(short, long[:samples])
    assert np.array_equal(short, dropout_masks(seed, image_id, samples, channels, 0.3))


@pytest.mark.parametrize("dropout", [0.1, 0.25, 0.5])
def test_values_and_their_mean(dropout: float) -> None:
    masks = dropout_masks(1, "x", 500, 400, dropout)
    assert masks.dtype == np.float32
    assert masks.shape == (500, 400)
    assert set(np.unique(masks)) == {np.float32(0), np.float32(1) / np.float32(1 - dropout)}
    # Five standard errors of 200,000 draws.
    spread = np.sqrt(dropout / (1 - dropout) / masks.size)
    assert masks.mean() == pytest.approx(1, abs=5 * spread)


def test_without_dropout_every_mask_is_one() -> None:
    assert np.array_equal(dropout_masks(0, "x", 3, 50, 0.0), np.ones((3, 50), np.float32))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((0, "a"), (0, "b")),
        ((0, "a"), (1, "a")),
        # Seed and name are kept apart.
        ((1, "1a"), (11, "a")),
        ((0, ""), (0, "0")),
        ((0, "a"), (0, "A")),
        ((0, "a.png"), (0, "b/a.png")),
    ],
)
def test_other_seeds_and_ids_give_other_masks(
    first: tuple[int, str], second: tuple[int, str]
) -> None:
    masks = [dropout_masks(seed, name, 4, 200, 0.5) > 0 for seed, name in (first, second)]
    # Independent masks agree in half of the places; 4.5 sigma of 800.
    assert (masks[0] == masks[1]).mean() == pytest.approx(0.5, abs=0.08)


def test_samples_of_an_image_differ() -> None:
    masks = dropout_masks(0, "a", 50, 200, 0.1)
    assert len({row.tobytes() for row in masks}) == 50
