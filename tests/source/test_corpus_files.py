from pathlib import Path

import pyarrow as pa
import pytest

from dfsynth.errors import UsageError
from dfsynth.source import known_corpora, open_source
from dfsynth.source.corpus_pattern import CorpusPattern
from dfsynth.source.template import Template

SMALL = """
name = "mine"
title = "My images"
licence = "CC BY 4.0"

[images]
files = ["**/*.PNG", "**/*.dcm"]
id = "{id_from}"

[[table]]
files = ["labels.csv"]
key = "{id}"
findings_separators = ";"
oldest_years = 100

[table.columns]
findings = ["labels"]
age = "years"
width_mm = ["width"]
split = ["fold"]
"""


def corpus_file(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


def test_known_corpora_are_complete() -> None:
    corpora = known_corpora()
    assert [corpus.name for corpus in corpora] == sorted(corpus.name for corpus in corpora)
    assert "nih" in {corpus.name for corpus in corpora}
    for corpus in corpora:
        described = (corpus.title, corpus.license, corpus.citation, corpus.homepage, corpus.layout)
        assert all(described)
        assert corpus.obtain
        assert corpus.size.images
        assert len(corpus.sources) >= 2


@pytest.mark.parametrize(
    ("id_from", "ids"),
    [
        ("stem", ["a", "b.1"]),
        ("file_name", ["a.dcm", "b.1.png"]),
        ("path", ["x/a.dcm", "y/z/b.1.png"]),
    ],
)
def test_a_users_corpus(make_tree, tmp_path, ids_of, id_from, ids) -> None:
    table = "".join(f"{i},A; B,101,300.5,fold1\n" for i in ids)
    root = make_tree(
        {
            "x/a.dcm": b"1",
            "y/z/b.1.png": b"2",
            "x/c.jpg": b"3",
            "labels.csv": f"id,labels,years,width,fold\n{table}".encode(),
        }
    )
    source = open_source(corpus_file(tmp_path, SMALL.replace("{id_from}", f"{{{id_from}}}")), root)
    listing = source.listing()
    assert ids_of(listing) == ids
    row = listing.table.to_pylist()[0]
    assert (row["findings"], row["age"], row["split"]) == (["A", "B"], None, "fold1")
    assert (row["width_mm"], row["height_mm"]) == (300.5, None)
    assert listing.excluded == {"unexpected_suffix:.jpg": 1}
    assert listing.warnings == (
        "2 values of age are not an age from 0 to 100 years and became null",
    )
    assert (source.name, source.license) == ("mine", "CC BY 4.0")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "mine"', "", "wrong at name: found nothing; expected a text"),
        ('title = "My images"', "title = 3", "wrong at title: found 3"),
        ('licence = "CC BY 4.0"', 'license = "x"', "wrong at licence: found nothing"),
        ("[images]", "citatoin = 'x'\n[images]", "did you mean citation?"),
        ('files = ["**', 'file = ["**', "wrong at images.files: found nothing"),
        ('["**/*.PNG", "**/*.dcm"]', "[]", "wrong at images.files: found []"),
        ('"**/*.PNG"', '"../*.PNG"', "wrong at images.files: found '../*.PNG'"),
        ('"**/*.PNG"', '"/a/*.PNG"', "expected a path below the root"),
        ('"**/*.PNG"', '"{a}/{a}.PNG"', "names in braces that come once each"),
        ('"**/*.PNG"', '"{a b}/x.PNG"', "made of letters, digits and _"),
        ("oldest_years = 100", "oldest_years = -1", "wrong at table[0].oldest_years: found -1"),
        ("oldest_years = 100", "oldest_year = 100", "did you mean oldest_years?"),
        ('id = "{id_from}"', 'id = "{hash}"', "wrong at images.id: found '{hash}'"),
        ('id = "{id_from}"', 'id = "{path"', "each brace with its fellow"),
        ('id = "{id_from}"', 'id = "{path|upper}"', "filters out of lower, folder"),
        ('id = "{id_from}"', 'id = "{path|pad:0}"', "with N from 1 to 99"),
        ('key = "{id}"', "", "wrong at table[0].key: found nothing"),
        ('age = "years"', 'agee = ["years"]', "did you mean age?"),
        ('age = "years"', "age = 3", "wrong at table[0].columns.age: found 3"),
        ('findings_separators = ";"', 'findings_separators = ""', "at least one character"),
        ('["labels.csv"]', '["/etc/passwd"]', "wrong at table[0].files: found '/etc/passwd'"),
        ('["labels.csv"]', '["a/../../t.csv"]', "expected a path below the root"),
        ('["labels.csv"]', f'["{"x" * 300}.csv"]', "whose names have at most 255"),
        ('["labels.csv"]', f'["{"x/" * 3000}y.csv"]', "a path of at most 4095 bytes"),
        ('"**/*.PNG"', f'"{"é" * 200}*/*.PNG"', "whose names have at most 255"),
        ("[images]", f"root_names = ['{'x' * 300}']\n[images]", "wrong at root_names"),
        ("[images]", "root_names = ['..']\n[images]", "expected a path below the root"),
        ('files = ["labels.csv"]', 'files = "t.csv"\nneed = "maybe"', "one of required, expected"),
        ("[images]", "[[images]]", "wrong at images"),
        ("[images]", "split = 'x'\n[images]", "wrong at split: found 'x'"),
        ("[images]", "[[split]]\nfile = 'x'\n[images]", "wrong at split[0].split: found nothing"),
        ("[images]", "[[exclude]]\nids = ['x']\n[images]", "wrong at exclude[0].reason"),
        ("[images]", "[words]\nsiez = {a = 'b'}\n[images]", "wrong at words.siez"),
        ("[images]", "[[sidecar]]\nfile = 'x'\nfacts.sex = 'a'\n[images]", "with one group"),
        ("[images]", "[images", "is no TOML"),
    ],
)
def test_mistakes_are_named(tmp_path, old, new, words) -> None:
    assert old in SMALL
    text = SMALL.replace(old, new).replace("{id_from}", "{stem}")
    with pytest.raises(UsageError) as caught:
        open_source(corpus_file(tmp_path, text), tmp_path)
    assert words in str(caught.value)
    assert "mine.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("*.png", ["a.png", "a.b.PNG"], ["a/b.png", "a.jpg", "png"]),
        ("images/*.IMG", ["images/a.img", "images/A.IMG"], ["a.IMG", "x/images/a.IMG"]),
        ("images_*/*.png", ["images_001/a.png", "images_/a.png"], ["images_1/x/a.png"]),
        ("**", ["a", "a/b", "a/b/c.png"], []),
        ("a/**/*", ["a/x", "a/b/x", "a/b/c/x"], ["x", "b/x", "ab/x"]),
        ("**/files/*.b", ["files/x.b", "p/q/files/x.b"], ["p/x.b", "xfiles/x.b"]),
        ("a.b/*", ["a.b/x"], ["axb/x"]),
        ("{p}/s{n}/*.png", ["1/s2/x.png"], ["1/s/x.png", "s2/x.png"]),
    ],
)
def test_patterns_of_paths(pattern, inside, outside) -> None:
    found = CorpusPattern.parse(pattern)
    assert all(found.match(path) is not None for path in inside)
    assert all(found.match(path) is None for path in outside)


def test_patterns_name_parts() -> None:
    pattern = CorpusPattern.parse("p*/p{patient}/s{study}/{image}_{side}.JPG")
    assert pattern.names == ("patient", "study", "image", "side")
    assert pattern.match("p10/p101/s5/view1_a_frontal.jpg") == ("101", "5", "view1", "a_frontal")


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("{path}", ["A/b/C.d.png", None]),
        ("x", ["x", "x"]),
        ("p{n}/{path|stem}", ["p7/C.d", None]),
        ("{n|pad:3}-{path|tail:2|lower}", ["007-b/c.d.png", None]),
        ("{path|tail:9}", ["A/b/C.d.png", None]),
        ("{path|no_suffix}", ["A/b/C.d", None]),
        ("{path|file_name}", ["C.d.png", None]),
        ("{path|folder}", ["A/b", None]),
        ("{n|folder}", ["", ""]),
        ("{windows|slashes|tail:1}", ["c.png", "c.png"]),
        ("{nowhere}", [None, None]),
    ],
)
def test_templates(template, filled) -> None:
    values = {
        "path": pa.array(["A/b/C.d.png", None]),
        "n": pa.array(["7", "8"]),
        "windows": pa.array(["a\\b\\c.png", "c.png"]),
    }
    assert Template.parse(template).fill(values, 2).to_pylist() == filled
