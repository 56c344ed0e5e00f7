"""Patterns of paths as a source: what they match, and what they say of studies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfsynth.errors import UsageError
from dfsynth.source import open_source
from dfsynth.source.glob_pattern import GlobPattern, split_pattern


@pytest.mark.parametrize(
    ("pattern", "fits", "fails"),
    [
        ("**.dcm", ["a.dcm", "p/s/a.dcm"], ["a.png", "a.dcm/b"]),
        ("**/*.dcm", ["a.dcm", "p/s/a.dcm"], ["a.png"]),
        ("p*/**.dcm", ["p1/a.dcm", "p1/s/a.dcm"], ["a.dcm", "q/a.dcm"]),
        ("p/**", ["p/a", "p/s/a"], ["p", "q/a"]),
        ("p/**/s/*", ["p/s/a", "p/x/y/s/a"], ["p/a", "p/s"]),
        ("*/a?.png", ["p/a1.png"], ["a1.png", "p/a.png", "p/s/a1.png"]),
        ("[a-c]*.png", ["b.png"], ["d.png"]),
        ("[!a-c]*.png", ["d.png"], ["b.png", "/.png"]),
        ("x[1", ["x[1"], ["x1"]),
        ("{a,b}/{00..02}.tar", ["a/00.tar", "b/02.tar"], ["a/03.tar", "c/00.tar", "a/0.tar"]),
        ("{8..11}.tar", ["8.tar", "11.tar"], ["08.tar", "7.tar"]),
        ("{a,{b,c}}.png", ["a.png", "b.png", "c.png"], ["d.png"]),
        ("a+(b).png", ["a+(b).png"], ["aa(b).png", "ab.png"]),
    ],
)
def test_what_fits(pattern, fits, fails) -> None:
    parsed = GlobPattern(pattern)
    assert [path for path in fits if not parsed.matches(path)] == []
    assert [path for path in fails if parsed.matches(path)] == []


def test_the_folder_is_what_comes_before_the_pattern() -> None:
    assert split_pattern("/data/x/**.dcm") == ("/data/x", GlobPattern("**.dcm"))
    assert split_pattern("*.png") == ("", GlobPattern("*.png"))
    assert split_pattern("/{a,b}/c") == ("/", GlobPattern("{a,b}/c"))


@given(
    names=st.lists(st.sampled_from(["a", "b", "p1", "x.dcm"]), min_size=1, max_size=5),
    pattern=st.sampled_from(["**.dcm", "*/**.dcm", "p*/*/x.dcm", "{a,b}/**/x.*", "a/*/b/**"]),
)
def test_every_folder_on_the_way_to_a_match_is_entered(names, pattern) -> None:
    parsed = GlobPattern(pattern)
    if parsed.matches("/".join(names)):
        for depth in range(1, len(names)):
            assert parsed.may_hold("/".join(names[:depth]) + "/")


def test_folders_that_cannot_hold_a_match_are_not_entered() -> None:
    assert not GlobPattern("p*/x.dcm").may_hold("q/")
    assert not GlobPattern("p*/x.dcm").may_hold("p1/s/")
    assert not GlobPattern("*.dcm").may_hold("p/")


@pytest.mark.parametrize("pattern", ["[z-a].png", "{0..999999}{0..9}.png"])
def test_patterns_that_say_nothing_sensible(pattern) -> None:
    with pytest.raises(UsageError, match="the pattern"):
        GlobPattern(pattern)


def test_a_folder_of_dicom_files_is_a_study(make_tree, monkeypatch, items_of) -> None:
    root = make_tree(
        {
            "p1/s1/b.dcm": b"1",
            "p1/s1/a.dcm": b"2",
            "p1/s2/a.dcm": b"3",
            "loose.dcm": b"4",
            "p1/s2/a.png": b"5",
        }
    )
    source = open_source(f"{root}/**.dcm", None)
    listing = source.listing()
    lines = listing.table.select(["image_id", "patient_id"]).to_pylist()
    assert [(line["image_id"], line["patient_id"]) for line in lines] == [
        ("loose.dcm", None),
        ("p1/s1/a.dcm", "p1/s1"),
        ("p1/s1/b.dcm", "p1/s1"),
        ("p1/s2/a.dcm", "p1/s2"),
    ]
    assert source.name == "pattern:tree/**.dcm"
    assert [source.read(i, 9) for i in items_of(listing)] == [b"4", b"2", b"1", b"3"]
    monkeypatch.chdir(root)
    assert open_source("**.dcm", None).name == "pattern:tree/**.dcm"
    assert open_source("p*/**.dcm", None).listing().table.num_rows == 3


def test_a_pattern_of_other_files_says_nothing_of_patients(make_tree) -> None:
    root = make_tree({"f/a.png": b"1", "f/b.png": b"2", "f/c.jpg": b"3"})
    table = open_source(f"{root}/**.png", None).listing().table
    assert table["image_id"].to_pylist() == ["f/a.png", "f/b.png"]
    assert table["patient_id"].null_count == 2


def test_a_file_that_is_there_is_no_pattern(make_tree) -> None:
    root = make_tree({"set[1]/a.png": b"1"})
    assert open_source(f"{root}/set[1]", None).name == "folder:set[1]"


def test_a_relative_pattern_is_looked_for_below_the_root(make_tree, monkeypatch, tmp_path) -> None:
    root = make_tree({"images/a.png": b"1"})
    monkeypatch.chdir(tmp_path)
    assert open_source("images/*.png", root).listing().table.num_rows == 1
    assert open_source("**.png", root).listing().table["image_id"].to_pylist() == ["images/a.png"]
    with pytest.raises(UsageError, match=r"no folder gone: expected the folder"):
        open_source("gone/*.png", root)


def test_a_pattern_that_nothing_fits(make_tree) -> None:
    root = make_tree({"a.png": b"1"})
    with pytest.raises(UsageError, match=r"no images in the paths \*\.dcm below"):
        open_source(f"{root}/*.dcm", None).listing()
