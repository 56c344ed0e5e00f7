from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfsynth.source import columns


def strings(*values: str | None) -> "pa.Array[Any]":
    return pa.array(values, pa.string())


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("58", 58.0),
        ("058Y", 58.0),
        ("58.5", 58.5),
        ("006M", 0.5),
        ("003W", 21 / 365.25),
        ("012d", 12 / 365.25),
        ("0", 0.0),
        ("120", 120.0),
    ],
)
def test_ages_in_years(text: str, years: float) -> None:
    ages, bad = columns.ages(strings(text))
    assert ages.type == pa.float32()
    assert ages.to_pylist() == [pytest.approx(years, rel=1e-6)]
    assert bad == 0


@pytest.mark.parametrize("text", ["414", "121", "-3", "58 years", "O58", "1e2", "nine", "5Y5"])
def test_ages_that_are_none(text: str) -> None:
    ages, bad = columns.ages(strings(text, None, "7"))
    assert ages.to_pylist() == [None, None, 7.0]
    assert bad == 1


@given(st.lists(st.one_of(st.none(), st.text(max_size=8))))
def test_any_text_gives_an_age_in_range_or_null(values: list[str | None]) -> None:
    try:
        texts = columns.texts(pa.array(values, pa.string()))
    except UnicodeEncodeError:
        return
    ages, bad = columns.ages(texts)
    assert len(ages) == len(values)
    assert all(age is None or 0 <= age <= 120 for age in ages.to_pylist())
    assert bad == ages.null_count - texts.null_count


def test_lengths() -> None:
    values = strings("383.5", "1e2", "+.5", "0", "-1", "inf", "wide", "1e999", None)
    lengths, bad = columns.lengths(values)
    assert lengths.to_pylist() == [383.5, 100.0, 0.5, None, None, None, None, None, None]
    assert bad == 5


def test_findings_are_split_and_trimmed() -> None:
    values = strings("No Finding", "Edema|Effusion", " A ; B|;C | ", "|", "", None)
    found = columns.findings(values, "|;")
    assert found.to_pylist() == [
        ["No Finding"],
        ["Edema", "Effusion"],
        ["A", "B", "C"],
        None,
        None,
        None,
    ]
    assert found.type == pa.list_(pa.string())


def test_separators_are_no_pattern() -> None:
    assert columns.findings(strings("a^b]c-d.e"), "^].").to_pylist() == [["a", "b", "c-d", "e"]]


def test_findings_that_are_lists_stay() -> None:
    lists = pa.array([["a", "b"], [], None], pa.large_list(pa.large_string()))
    found = columns.findings(lists, "|")
    assert found.to_pylist() == [["a", "b"], [], None]
    assert found.type == pa.list_(pa.string())


def test_texts_of_other_kinds() -> None:
    assert columns.texts(pa.array([1, None, 3])).to_pylist() == ["1", None, "3"]
    coded = pa.array([" PA ", "nan", ""]).dictionary_encode()
    assert columns.texts(coded).to_pylist() == ["PA", None, None]


def test_no_rows() -> None:
    assert len(columns.ages(strings())[0]) == 0
    assert len(columns.lengths(strings())[0]) == 0
    assert len(columns.findings(strings(), "|")) == 0


def test_ages_in_bins() -> None:
    found, bad = columns.ages(strings("40-49", "85+", "85 or more", ">=90", "> 89", "[80]", "9-"))
    assert found.to_pylist() == [44.5, 85.0, 85.0, 90.0, 89.0, 80.0, None]
    assert bad == 1


def test_ages_from_dates() -> None:
    births = strings("1930.0", "1930", "1930-05-01", None, "2015", "19")
    dates = strings("20140915", "2014", "2014-09-15 10:00", "2014", "20140915", "2014")
    found = columns.ages_at(births, dates)
    assert columns.ages(found)[0].to_pylist() == [84.0, 84.0, 84.0, None, None, None]


def test_python_lists() -> None:
    found = columns.python_lists(
        strings("['a', ' b']", "[]", "[\"c's\", 'd']", "a, b", None, "['x\ty' 'z']", "[nan]")
    )
    expected = [["a", "b"], [], ["c's", "d"], None, None, ["x\ty", "z"], []]
    assert found.to_pylist() == expected


def test_words_are_translated_whatever_their_case() -> None:
    words = {"Male": "M", "female": "F", "Unknown": ""}
    found = columns.translate(strings("male", "FEMALE", "unknown", "O", None), words)
    assert found.to_pylist() == ["M", "F", None, "O", None]
    assert columns.translate(strings("x"), {}).to_pylist() == ["x"]


def test_words_of_lists_are_translated_and_may_leave_nothing() -> None:
    lists = pa.array([["A", "todo"], ["TODO"], [], None, ["b"]], pa.list_(pa.string()))
    found = columns.translate_lists(lists, {"todo": "", "a": "x"})
    assert found.to_pylist() == [["x"], None, [], None, ["b"]]
    assert columns.translate_lists(lists, {}).equals(lists)
