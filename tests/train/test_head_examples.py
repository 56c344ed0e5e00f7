"""Examples for the heads for trust: kept in a file, chosen and joined."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from dfsynth.train.heads.examples import MAP_SCORES, TARGETS, Examples


def examples(count: int, seed: int = 0) -> Examples:
    rng = np.random.default_rng(seed)

    def drawn(width: int) -> np.ndarray:
        return rng.random((count, width), np.float32)

    patients = np.array([f"größe-{number}" for number in range(count)])
    scores = drawn(len(MAP_SCORES))
    scores[0, 0] = np.nan
    return Examples(
        patients, patients[::-1], patients, drawn(3), drawn(5), drawn(len(TARGETS)), scores
    )


def assert_equal(one: Examples, other: Examples) -> None:
    for field in fields(Examples):
        a, b = getattr(one, field.name), getattr(other, field.name)
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b, err_msg=field.name)


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    written = examples(4)
    written.save(tmp_path / "kept.npz")
    assert_equal(Examples.load(tmp_path / "kept.npz"), written)


def test_a_damaged_file_is_no_examples(tmp_path: Path) -> None:
    path = tmp_path / "kept.npz"
    examples(4).save(path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match=r"holds no examples: .*make them again"):
        Examples.load(path)


def test_nothing_that_is_pickled_is_read(tmp_path: Path) -> None:
    path = tmp_path / "kept.npz"
    np.savez(path, patients=np.array([object()], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        Examples.load(path)


def test_parts_are_joined_and_chosen_from() -> None:
    first, second = examples(2, 1), examples(3, 2)
    joined = Examples.joined([first, second])
    assert len(joined) == 5
    assert_equal(joined.of(np.arange(5) < 2), first)
    assert_equal(joined.of(np.arange(5) >= 2), second)
