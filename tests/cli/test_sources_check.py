"""`dfsynth sources check` and `new`."""

import json

import pytest
from miniature_corpus import plant

CORPUS = """
name = "mine"
title = "Mine"
licence = "CC0"
[images]
files = ["*.png"]
id = "{stem}"
[[table]]
files = ["t.csv"]
key = "{id}"
[table.columns]
patient_id = "patient"
view = "view"
age = "age"
findings = "labels"
[table.labels]
columns = ["Edema"]
"""
IMAGES = ["a.png", "b.png", "c.png"]
SOUND = "id,patient,view,age,labels,Edema\na,1,PA,58,Mass,1\nb,1,AP,,,0\nc,2,LATERAL,3,,-1\n"


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(CORPUS)
    return path


def test_a_sound_corpus(run_cli, mine, tmp_path):
    root = plant(tmp_path / "root", {"t.csv": SOUND}, IMAGES)
    status, out, err = run_cli("sources", "check", mine, "--root", root)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[:2] == ["no problems", f"mine in {root}: 2 images of 1 patient"]
    assert "  view: PA 1, AP 1" in lines
    assert "  Edema: 1 positive, 1 negative, 0 uncertain" in lines
    assert any("1 not_frontal:LATERAL" in line for line in lines)
    assert "  known of images: patient_id 2, view 2, sex 0, age 1, findings 2, split 0, size 0" in (
        lines
    )


def test_views(run_cli, mine, tmp_path):
    root = plant(tmp_path / "root", {"t.csv": SOUND}, IMAGES)
    out = run_cli("sources", "check", mine, "--root", root, "--views", "all", "--json")[1]
    report = json.loads(out)
    assert (report["images"], report["patients"]) == (3, 2)
    assert report["counts"]["view"] == {"PA": 1, "AP": 1, "LATERAL": 1}
    assert report["findings"]["Edema"] == [1, 1, 1]
    status, _, err = run_cli("sources", "check", mine, "--root", root, "--views", "lateral")
    assert (status, "expected frontal, all" in err) == (2, True)


def test_rows_with_problems_come_first(run_cli, mine, tmp_path):
    table = "id,patient,view,age,labels,Edema\na,1,PA,414,,1\nb,1,AP,old,,maybe\n,3,PA,5,,\n"
    root = plant(tmp_path / "root", {"t.csv": table}, IMAGES)
    status, out, _ = run_cli("sources", "check", mine, "--root", root)
    assert status == 1
    lines = out.splitlines()
    assert lines[:8] == [
        "  t.csv, row 3: key None",
        "problem: 1 row of t.csv has no key {id} and is about no image",
        "  t.csv, row 1: age '414'",
        "  t.csv, row 2: age 'old'",
        "problem: 2 values of age are not an age from 0 to 120 years and became null",
        "  t.csv, row 2: Edema 'maybe'",
        "problem: 1 cell of Edema is no state that the corpus file names; taken as blank",
        "problem: 1 image on disk is not in the table t.csv; what it says of others is null",
    ]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("id,patient\na,1\nb,2\na,1\n", "'a' (2 times, in rows 1, 3)"),
        ("ids,patient\na,1\n", "expected {id} (nearest: 'ids')"),
        ("", "found an empty file"),
        ("id,patient\na,1,2,3\n", "as many fields as there are column names"),
        (b"id,patient\na,M\xfcller\n", "in UTF-8"),
    ],
)
def test_a_table_that_cannot_be_used_ends_with_2(run_cli, mine, tmp_path, table, words):
    root = plant(tmp_path / "root", {"t.csv": table}, IMAGES)
    status, _, err = run_cli("sources", "check", mine, "--root", root)
    assert (status, err.count("\n")) == (2, 1)
    assert words in err


def test_a_column_that_is_not_there_names_the_nearest(run_cli, mine, tmp_path):
    root = plant(tmp_path / "root", {"t.csv": SOUND.replace("view", "viwe")}, IMAGES)
    status, out, _ = run_cli("sources", "check", mine, "--root", root)
    assert status == 1
    assert "problem: the table t.csv has no column view (nearest: 'viwe')" in out


def test_a_new_file_is_checked_as_it_is(run_cli, tmp_path):
    root = plant(tmp_path / "root", {}, ["x/a.png"])
    status, out, _ = run_cli("sources", "new", tmp_path / "new.toml")
    assert (status, "sources check" in out) == (0, True)
    status, out, _ = run_cli("sources", "check", tmp_path / "new.toml", "--root", root)
    assert (status, "1 image of 0 patients" in out) == (0, True)
