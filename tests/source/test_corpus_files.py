from pathlib import Path

import pytest

from dfsynth.errors import UsageError
from dfsynth.source import known_corpora, open_source
from dfsynth.source.corpus_source import folder_pattern

SMALL = """
name = "mine"
title = "My images"
licence = "CC BY 4.0"

[images]
folders = ["**"]
suffixes = [".PNG", ".dcm"]
id = "{id_from}"

[table]
files = ["labels.csv"]
findings_separators = ";"
oldest_years = 100

[table.columns]
image_id = ["id"]
findings = ["labels"]
age = ["years"]
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
        assert corpus.images
        assert corpus.gigabytes


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
    source = open_source(corpus_file(tmp_path, SMALL.replace("{id_from}", id_from)), root)
    listing = source.listing()
    assert ids_of(listing) == ids
    row = listing.table.to_pylist()[0]
    assert (row["findings"], row["age"], row["split"]) == (["A", "B"], None, "fold1")
    assert (row["width_mm"], row["height_mm"]) == (300.5, None)
    assert listing.excluded == {"unexpected_suffix:.jpg": 1, "not_an_image_suffix:.csv": 1}
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
        ('folders = ["**"]', 'folder = ["**"]', "wrong at images.folders: found nothing"),
        ('folders = ["**"]', "folders = []", "wrong at images.folders: found []"),
        ("oldest_years = 100", "oldest_years = -1", "wrong at table.oldest_years: found -1"),
        ("oldest_years = 100", "oldest_year = 100", "did you mean oldest_years?"),
        ('id = "{id_from}"', 'id = "hash"', "wrong at images.id: found 'hash'"),
        ('image_id = ["id"]', "", "wrong at table.columns.image_id: found nothing"),
        ('age = ["years"]', 'agee = ["years"]', "did you mean age?"),
        ('age = ["years"]', 'age = "years"', "wrong at table.columns.age: found 'years'"),
        ("[images]", "[[images]]", "wrong at images"),
        ("[images]", "split = 'x'\n[images]", "wrong at split: found 'x'"),
        ("[images]", "[[split]]\nfile = 'x'\n[images]", "wrong at split.split: found nothing"),
        ("[images]", "[images", "is no TOML"),
    ],
)
def test_mistakes_are_named(tmp_path, old, new, words) -> None:
    assert old in SMALL
    text = SMALL.replace(old, new).replace("{id_from}", "stem")
    with pytest.raises(UsageError) as caught:
        open_source(corpus_file(tmp_path, text), tmp_path)
    assert words in str(caught.value)
    assert "mine.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        (".", [""], ["a/"]),
        ("images", ["images/"], ["", "images/a/", "ximages/"]),
        ("images_*/images/", ["images_001/images/", "images_/images/"], ["images_1/x/images/"]),
        ("**", ["", "a/", "a/b/"], []),
        ("a/**", ["a/", "a/b/", "a/b/c/"], ["", "b/", "ab/"]),
        ("**/files", ["files/", "p10/files/", "p10/s1/files/"], ["p10/", "xfiles/"]),
        ("a.b", ["a.b/"], ["axb/"]),
    ],
)
def test_folder_patterns(pattern, inside, outside) -> None:
    found = folder_pattern((pattern,))
    assert all(found.fullmatch(folder) for folder in inside)
    assert not any(found.fullmatch(folder) for folder in outside)
