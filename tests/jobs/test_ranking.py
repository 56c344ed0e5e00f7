"""Both ends of a score: who stands where, and who takes no part."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfsynth.errors import UsageError
from dfsynth.jobs.ranking import rank_ends

_NUMBERS = st.one_of(st.none(), st.just(float("nan")), st.integers(0, 5).map(float))
_ROWS = st.lists(st.tuples(st.sampled_from(["ok", "failed"]), _NUMBERS), min_size=1, max_size=30)


def _table(rows: list[tuple[str, float | None]], name: str = "uncertainty") -> pa.Table:
    return pa.table(
        {
            "image_id": [f"i{n}" for n in range(len(rows))],
            "row": pa.array(range(len(rows)), pa.int64()),
            "status": [status for status, _ in rows],
            name: pa.array([number for _, number in rows], pa.float32()),
        }
    )


def _ok(*numbers: float | None) -> list[tuple[str, float | None]]:
    return [("ok", number) for number in numbers]


@given(_ROWS, st.integers(1, 20), st.sampled_from(["uncertainty", "lung_fraction", "age"]))
def test_no_image_outside_is_worse_than_the_worst_or_better_than_the_best(
    rows: list[tuple[str, float | None]], count: int, name: str
) -> None:
    known = {
        f"i{n}": number
        for n, (status, number) in enumerate(rows)
        if status == "ok" and number is not None and not np.isnan(number)
    }
    if len(known) < 2:
        with pytest.raises(UsageError, match=f"{len(known)} of"):
            rank_ends(_table(rows, name), name, count)
        return
    found, lines = rank_ends(_table(rows, name), name, count)
    sign = -1 if name == "lung_fraction" else 1
    badness = {image: sign * number for image, number in known.items()}
    assert len(found.worst) == len(found.best) == min(count, len(known) // 2)
    assert not set(found.worst) & set(found.best)
    between = badness.keys() - {*found.worst, *found.best}
    order = [badness[image] for image in (*found.best, *between, *found.worst[::-1])]
    ends = [badness[image] for image in (*found.best, *found.worst[::-1])]
    assert ends == sorted(ends)
    assert max(order[: len(found.best)]) <= min(order[len(found.best) :])
    assert min(order[-len(found.worst) :]) >= max(order[: -len(found.worst)])
    assert [line["image_id"] for line in lines[::2]] == list(found.worst)
    assert [line["image_id"] for line in lines[1::2]] == list(found.best)
    assert found.ranked + found.unranked + found.failed == len(rows)


@pytest.mark.parametrize(
    ("name", "worst", "worst_is", "declared"),
    [
        ("uncertainty", "i2", "highest", True),
        ("lung_fraction", "i0", "lowest", True),
        ("dark_field_mean", "i2", "highest", False),
        ("age", "i2", "highest", False),
    ],
)
def test_the_score_itself_says_which_end_is_worst(
    name: str, worst: str, worst_is: str, declared: bool
) -> None:
    found, _ = rank_ends(_table(_ok(1, 2, 3), name), name, 1)
    assert (found.worst, found.worst_is, found.declared) == ((worst,), worst_is, declared)
    assert found.best_is != worst_is
    assert ("declares neither end" in found.describe()) is not declared


def test_who_takes_no_part_is_counted() -> None:
    rows = [*_ok(1, None, 3, float("nan")), ("failed", None), ("failed", 9.0)]
    found, _ = rank_ends(_table(rows), "uncertainty", 5)
    assert (found.worst, found.best) == (("i2",), ("i0",))
    assert found.describe().endswith("Left out: 2 failed, 2 without a number in uncertainty.")


def test_among_equal_numbers_the_later_row_is_worse() -> None:
    found, _ = rank_ends(_table(_ok(1, 1, 1, 1)), "uncertainty", 2)
    assert (found.worst, found.best) == (("i3", "i2"), ("i0", "i1"))


def test_an_unknown_column_and_one_of_words_are_refused() -> None:
    table = _table(_ok(1, 2))
    with pytest.raises(UsageError, match=r"did you mean uncertainty\? .*: row, uncertainty$"):
        rank_ends(table, "uncertanty", 1)
    with pytest.raises(UsageError, match=r"no column 'zzz'; expected .*: row, uncertainty$"):
        rank_ends(table, "zzz", 1)
    with pytest.raises(UsageError, match="column 'status' holds string"):
        rank_ends(table, "status", 1)
