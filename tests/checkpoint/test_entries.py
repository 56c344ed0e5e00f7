"""Entries of a JSON object: taken once, and what they should be."""

import json

import pytest

from dfsynth.checkpoint.entries import Entries

TAKEN = {
    "text": "unit",
    "truth": True,
    "real": 3,
    "whole": 2**31 - 1,
    "reals": [0, 0.5],
    "wholes": [1, 2],
    "numbers": {"a": 1},
    "mapping": {"a": [None]},
    "text_tables": [{"name": "a"}],
}


@pytest.mark.parametrize("kind", TAKEN)
def test_an_entry_is_taken_once_as_what_it_is(kind):
    entries = Entries({kind: TAKEN[kind]}, "it")
    with pytest.raises(ValueError, match=f"unknown entries: '{kind}'"):
        entries.finish()
    found = getattr(entries, kind)(kind)
    assert json.loads(json.dumps(found)) == TAKEN[kind]
    entries.finish()
    with pytest.raises(ValueError, match=f"the entry '{kind}' is missing"):
        getattr(entries, kind)(kind)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 3),
        ("truth", 1),
        ("real", float("nan")),
        ("real", True),
        ("real", 2**53),
        ("whole", 0),
        ("whole", 2**31),
        ("whole", 1.0),
        ("whole", True),
        ("reals", 0.5),
        ("reals", ["0.5"]),
        ("wholes", [1.5]),
        ("numbers", [1]),
        ("numbers", {"a": "1"}),
        ("mapping", []),
        ("text_tables", [["name"]]),
        ("text_tables", [{"name": 3}]),
    ],
)
def test_an_entry_that_is_something_else_is_named(kind, value):
    with pytest.raises(ValueError, match=r"the entry '\w+(\.a)?' is not"):
        getattr(Entries({kind: value}, "it"), kind)(kind)


def test_a_table_is_read_entry_by_entry():
    entries = Entries({"window": {"low": 0, "high": 1}}, "it")
    window = entries.table("window")
    assert (window.real("low"), window.real("high")) == (0.0, 1.0)
    window.finish()
    with pytest.raises(ValueError, match="window is no object"):
        Entries({"window": 3}, "it").table("window")


def test_tables_are_read_one_by_one_and_need_not_be_there():
    first, second = Entries({"rows": [{"a": 1}, {"a": 2}]}, "it").tables("rows")
    assert (first.real("a"), second.real("a")) == (1.0, 2.0)
    assert Entries({}, "it").tables("rows") == ()
    with pytest.raises(ValueError, match="'rows' is not a list"):
        Entries({"rows": {}}, "it").tables("rows")
    with pytest.raises(ValueError, match="a row of 'rows' is no object"):
        Entries({"rows": [1]}, "it").tables("rows")


def test_a_choice_is_one_of_those_that_are_known():
    known = ("pa", "ap")
    assert Entries({"view": "ap"}, "it").choice("view", known, "pa") == "ap"
    assert Entries({}, "it").choice("view", known, "pa") == "pa"
    with pytest.raises(ValueError, match="'view' is not one of pa, ap"):
        Entries({"view": "lateral"}, "it").choice("view", known, "pa")
