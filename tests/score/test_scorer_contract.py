"""What every scorer keeps to, whoever wrote it: a new one is tested here by being listed."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dfsynth.preprocess import letterbox
from dfsynth.records import IMAGE_FLAGS, Generated, ModelInput
from dfsynth.score import LEARNED_SCORES, SCORE_COLUMNS, SCORERS, Scorer, score

Map = NDArray[np.float32]

SOURCES = {
    "whole grid": ((50, 50), (24, 24)),
    "a strip": ((700, 10), (24, 24)),
    "one column": ((999, 1), (24, 24)),
    "one pixel": ((1, 1), (1, 1)),
}
"""Sizes of source and grid, by what is left beside padding."""
MAPS = ("noise", "constant", "zero")
LUNGS = ("no output", "none seen", "half", "everywhere")
LEARNED: dict[str, Any] = {
    "no heads": None,
    "silent heads": {},
    "zero": dict.fromkeys(LEARNED_SCORES, 0.0),
    "large": dict.fromkeys(LEARNED_SCORES, 1e30),
    "of numpy": {name: np.float32(0.1) for name in LEARNED_SCORES},
}


def model_input(source: tuple[int, int], grid: tuple[int, int]) -> ModelInput:
    flags = ("low_contrast", "clipped")
    return ModelInput(np.zeros(grid, np.float32), letterbox(source, grid), 0.3, flags)


def generated(kind: str, lung: str, grid: tuple[int, int]) -> Generated:
    rng = np.random.default_rng(3)
    mean, aleatoric, epistemic = {
        "noise": rng.random((3, *grid), np.float32),
        "constant": np.full((3, *grid), 0.25, np.float32),
        "zero": np.zeros((3, *grid), np.float32),
    }[kind]
    probability: dict[str, Map | None] = {
        "no output": None,
        "none seen": np.zeros(grid, np.float32),
        "half": (np.arange(grid[0]) % 2 == 0)[:, None] * np.ones(grid, np.float32),
        "everywhere": np.ones(grid, np.float32),
    }
    return Generated(mean, aleatoric, epistemic, probability[lung])


@pytest.mark.parametrize("learned", LEARNED)
@pytest.mark.parametrize("lung", LUNGS)
@pytest.mark.parametrize("kind", MAPS)
@pytest.mark.parametrize("source", SOURCES)
def test_one_number_or_null_a_column_on_any_image(
    source: str, kind: str, lung: str, learned: str
) -> None:
    into = model_input(*SOURCES[source])
    maps = generated(kind, lung, into.image.shape)
    maps = replace(maps, learned=LEARNED[learned], learned_flags=("lateral",))
    found = score(maps, into)
    assert list(found.scores) == [column.name for column in SCORE_COLUMNS]
    for name, value in found.scores.items():
        assert value is None or (type(value) is float and math.isfinite(value)), name
    assert set(found.flags) <= set(IMAGE_FLAGS)
    assert len(set(found.flags)) == len(found.flags)


@pytest.mark.parametrize("scorer", SCORERS, ids=lambda scorer: scorer.columns[0].name)
def test_columns_are_described_as_others_are(scorer: Scorer) -> None:
    assert scorer.columns
    for column in scorer.columns:
        assert column.name.isidentifier()
        assert column.name == column.name.lower()
        assert column.description == column.description.strip()
        assert not column.description[0].islower()
        assert column.description[-1] not in ".:;,"
        assert "\n" not in column.description
        assert column.unit is None or column.unit == column.unit.strip() != ""
        assert column.since >= 1


def test_names_are_unique() -> None:
    names = [column.name for column in SCORE_COLUMNS]
    assert len(set(names)) == len(names)


def test_a_scorer_is_null_without_heads_exactly_where_it_says_so() -> None:
    """Maps that give every score: what is null then needs heads."""
    maps = generated("noise", "half", (24, 24))
    found = score(maps, model_input((50, 50), (24, 24))).scores
    assert [name for name, value in found.items() if value is None] == list(LEARNED_SCORES)


def test_flags_are_explained() -> None:
    for name, sentence in IMAGE_FLAGS.items():
        assert name == name.lower()
        assert sentence[0].isupper()
        assert sentence[-1] != "."
