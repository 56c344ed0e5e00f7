"""Every form in which a corpus file can say something, on trees of a few files."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from miniature_corpus import plant, rows_of

from dfsynth.errors import UsageError
from dfsynth.source import load_corpus
from dfsynth.source.opening import open_corpus
from dfsynth.source.survey import Survey

HEAD = 'name = "mine"\ntitle = "Mine"\nlicence = "CC0"\n'
IMAGES = '[images]\nfiles = ["{group}/*.png", "*.png"]\nid = "{stem}"\n'


def survey(tmp_path: Path, text: str, frontal_only: bool = True) -> Survey:
    """The corpus of `text`, below `tmp_path`/root."""
    path = tmp_path / "mine.toml"
    path.write_text(HEAD + text)
    return open_corpus(load_corpus(path), tmp_path / "root", frontal_only).survey()


def test_several_rows_merged(tmp_path) -> None:
    table = "id,kind,age,Opacity,x\na,Mass,,1,5\na,Nodule; Mass,50,0,7\nb,,60,0,\n"
    plant(tmp_path / "root", {"t.csv": table}, ["a.png", "b.png"])
    text = IMAGES + (
        '[[table]]\nfiles = "t.csv"\nkey = "{id}"\nseveral_rows = "merge"\n'
        'findings_separators = ";"\n[table.columns]\nage = "age"\nfindings = "kind"\n'
        '[table.labels]\ncolumns = {Opacity = "Lung Opacity"}\n'
    )
    rows = rows_of(survey(tmp_path, text))
    assert rows["a"]["findings"] == ["Mass", "Nodule", "Lung Opacity"]
    assert (rows["a"]["age"], rows["a"]["findings_negative"]) == (50.0, [])
    assert rows["b"]["findings"] == []
    assert rows["b"]["findings_negative"] == ["Lung Opacity"]


@pytest.mark.parametrize(
    ("states", "list_name"),
    [
        ("111", "findings"),
        ("110", "findings"),
        ("100", "findings_uncertain"),
        ("000", "findings_negative"),
        ("1", "findings"),
        ("u0", "findings_uncertain"),
        ("10", "findings_uncertain"),
    ],
)
def test_the_majority_of_readers(tmp_path, states, list_name) -> None:
    table = "image_id,rad,Mass\n" + "".join(f"a,R{n},{s}\n" for n, s in enumerate(states))
    plant(tmp_path / "root", {"t.csv": table}, ["a.png"])
    text = IMAGES + (
        '[[table]]\nfiles = "t.csv"\nkey = "{image_id}"\nseveral_rows = "majority"\n'
        '[table.labels]\ncolumns = ["Mass"]\nuncertain = ["u"]\n'
    )
    row = rows_of(survey(tmp_path, text))["a"]
    for name in ("findings", "findings_negative", "findings_uncertain"):
        assert row[name] == (["Mass"] if name == list_name else [])


def test_any_other_text_is_a_state(tmp_path) -> None:
    table = "ImageId, EncodedPixels\na, -1\nb, 3 4 5\nb, 7 8\nc,\n"
    plant(tmp_path / "root", {"t.csv": table}, ["a.png", "b.png", "c.png"])
    text = IMAGES + (
        '[[table]]\nfiles = "t.csv"\nkey = "{ImageId}"\nseveral_rows = "merge"\n'
        '[table.labels]\ncolumns = {EncodedPixels = "Pneumothorax"}\npositive = "*"\n'
        'negative = "-1"\n'
    )
    rows = rows_of(survey(tmp_path, text))
    assert rows["a"]["findings_negative"] == rows["b"]["findings"] == ["Pneumothorax"]
    assert "findings" not in rows["c"]


@pytest.mark.parametrize("name", ["t.parquet", "t.json", "t.csv.gz", "T.TSV"])
def test_kinds_of_tables(tmp_path, name) -> None:
    root = plant(tmp_path / "root", {}, ["a.png", "b.png"])
    rows: list[dict[str, object]] = [
        {"id": "a", "Edema": 1.0, "age": 40},
        {"id": "b", "Edema": None, "age": None},
    ]
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(rows), root / name)
    elif name.endswith(".json"):
        (root / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif name.endswith(".gz"):
        (root / name).write_bytes(gzip.compress(b"id,Edema,age\na,1.0,40\nb,,\n"))
    else:
        (root / name).write_text("id\tEdema\tage\na\t+1\t40\nb\t\t\n")
    text = IMAGES + (
        f'[[table]]\nfiles = "{name.lower()}"\nkey = "{{id}}"\ncolumns.age = "age"\n'
        'labels.columns = ["Edema"]\n'
    )
    found = rows_of(survey(tmp_path, text))
    assert (found["a"]["findings"], found["a"]["age"]) == (["Edema"], 40.0)
    assert not {"findings", "age"} & set(found["b"])


def test_what_paths_and_words_say(tmp_path) -> None:
    plant(tmp_path / "root", {}, ["tb/a.png", "health/b.png", "test/c.png", "d.png", "tb/e.png"])
    text = IMAGES + (
        '[images.facts]\nfindings = "{group}"\npatient_id = "p{stem}"\npixel_mm = "0.2"\n'
        '[words.findings]\nTB = "Tuberculosis"\nhealth = "No Finding"\ntest = ""\n'
        '[words.patient_id]\npb = "pa"\n'
    )
    rows = rows_of(survey(tmp_path, text))
    found = [row.get("findings") for row in rows.values()]
    assert found == [["Tuberculosis"], ["No Finding"], None, None, ["Tuberculosis"]]
    assert [row["patient_id"] for row in rows.values()] == ["pa", "pa", "pc", "pd", "pe"]
    assert rows["a"]["pixel_mm"] == pytest.approx(0.2)


def test_text_files_beside_images(tmp_path) -> None:
    readings: dict[str, str | bytes] = {
        "readings/a.txt": "Patient's Sex: F \nPatient's Age: 027Y\nnormal\n",
        "readings/b.txt": b"femal 16month\n\xe9\n",
    }
    plant(tmp_path / "root", readings, ["x/a.png", "x/b.png", "x/c.png"])
    text = IMAGES + (
        '[[sidecar]]\nfile = "readings/{stem}.txt"\nencoding = "latin-1"\n[sidecar.facts]\n'
        "sex = '^(?:patient.s sex:)?\\s*(femal|male|[MF])'\n"
        "age = '(\\d+\\s*[ymd])'\n[words.sex]\nfemal = \"F\"\n"
    )
    rows = rows_of(survey(tmp_path, text))
    assert (rows["a"]["sex"], rows["a"]["age"]) == ("F", 27.0)
    assert (rows["b"]["sex"], rows["b"]["age"]) == ("F", pytest.approx(16 / 12))
    assert not {"sex", "age"} & set(rows["c"])


def test_all_that_a_text_file_says_of_findings(tmp_path) -> None:
    reports = {
        "reports/a.xml": "<major>Opacity/lung</major>\n<major> Scoliosis\t</major><auto>x</auto>",
        "reports/b.xml": "<major>No Indexing</major>",
        "reports/c.xml": "<major>normal</major><major>No Indexing</major>",
    }
    plant(tmp_path / "root", reports, ["a.png", "b.png", "c.png", "d.png"])
    text = IMAGES + (
        '[[sidecar]]\nfile = "reports/{stem}.xml"\n[sidecar.facts]\n'
        'findings = \'<major>([^<]*)</major>\'\n[words.findings]\n"No Indexing" = ""\n'
    )
    found = [row.get("findings") for row in rows_of(survey(tmp_path, text)).values()]
    assert found == [["Opacity/lung", "Scoliosis"], None, ["normal"], None]


def test_findings_that_say_nothing_are_null(tmp_path) -> None:
    table = "id,kind\na,Pneumonia/Viral\nb,todo\nc,todo/Viral\nd,\n"
    plant(tmp_path / "root", {"t.csv": table}, ["a.png", "b.png", "c.png", "d.png"])
    text = IMAGES + (
        '[[table]]\nfiles = "t.csv"\nkey = "{id}"\ncolumns.findings = "kind"\n'
        'findings_separators = "/"\n[words.findings]\nTODO = ""\n'
    )
    found = [row.get("findings") for row in rows_of(survey(tmp_path, text)).values()]
    assert found == [["Pneumonia", "Viral"], None, ["Viral"], None]


def test_an_image_in_several_forms(tmp_path) -> None:
    plant(tmp_path / "root", {}, ["dcm/a.dcm", "dcm/b.dcm", "png/b.png", "png/c.png"])
    text = '[images]\nfiles = ["dcm/{name}.dcm", "png/{name}.png"]\nid = "{name}"\n'
    with pytest.raises(UsageError, match=r"'b' \(2 times"):
        survey(tmp_path, text)
    first = text + 'several_files = "first_pattern"\n'
    found = survey(tmp_path, first)
    uris = [row["uri"] for row in rows_of(found).values()]
    assert uris == ["dcm/a.dcm", "dcm/b.dcm", "png/c.png"]
    assert found.listing.excluded == {"in_another_form_as_well": 1}
    plant(tmp_path / "root", {}, ["dcm/b.DCM"])
    with pytest.raises(UsageError, match=r"'b' \(2 times"):
        survey(tmp_path, first)
    with pytest.raises(UsageError, match="no images in the corpus mine"):
        survey(tmp_path, first.replace("dcm/", "x/").replace("png/", "x/"))


def test_lists_of_paths(tmp_path) -> None:
    lists = {"train.txt": "imgs/tb/a.png\n./health/b.png\n", "all_test.txt": "test/c.png\n"}
    plant(tmp_path / "root", lists, ["tb/a.png", "health/b.png", "test/c.png", "test/d.png"])
    text = IMAGES + "".join(
        f'[[split]]\nfile = "{name}"\nsplit = "{split}"\nkey = "{{line|tail:2}}"\n'
        'image = "{path}"\n'
        for name, split in (("train.txt", "train"), ("all_test.txt", "test"))
    )
    found = survey(tmp_path, text)
    assert [row.get("split") for row in rows_of(found).values()] == ["train", "train", "test", None]
    assert [c.sentence for c in found.complaints] == [
        "1 image is in none of the lists; their split is null"
    ]


def test_images_left_out_by_table_and_by_name(tmp_path) -> None:
    table = "id,modality\na,X-ray\nb,ct\nc,X-ray\n"
    plant(tmp_path / "root", {"t.csv": table}, ["a.png", "b.png", "c.png"])
    text = (
        '[[exclude]]\nreason = "broken_file"\nids = ["c"]\n'
        + IMAGES
        + (
            '[[table]]\nfiles = "t.csv"\nkey = "{id}"\n'
            '[[table.exclude]]\ncolumn = "modality"\nvalues = ["CT"]\nreason = "ct"\n'
        )
    )
    found = survey(tmp_path, text)
    assert list(rows_of(found)) == ["a"]
    assert found.listing.excluded == {"ct": 1, "broken_file": 1}


def test_tables_one_below_the_other_and_the_first_that_speaks(tmp_path) -> None:
    tables = {
        "parts/one.csv": "id,side,view\na,Frontal,PA\nb,Lateral,\n",
        "parts/two.csv": "id,side\nc,Frontal\n",
        "more.csv": "number;sex;born;seen\n1;F;1950.0;20100105\n2;M;;\n",
    }
    plant(tmp_path / "root", tables, ["a.png", "b.png", "c.png"])
    text = IMAGES + (
        '[[table]]\nfiles = "parts/*.csv"\nread = "all"\nkey = "{id}"\n'
        'columns.view = ["view", "side"]\n'
        '[[table]]\nfiles = "more.csv"\nkey = "00{number|pad:2}"\nimage = "{code}"\n'
        '[table.columns]\nsex = "sex"\nbirth_year = "born"\nstudy_date = "seen"\n'
    )
    text = text.replace('"*.png"', '"{code}_x.png", "*.png"')
    plant(tmp_path / "root", {}, ["0001_x.png"])
    rows = rows_of(survey(tmp_path, text, frontal_only=False))
    assert [row.get("view") for row in rows.values()] == [None, "PA", "Lateral", "Frontal"]
    assert (rows["0001_x"]["sex"], rows["0001_x"]["age"]) == ("F", 60.0)


def test_unknown_views_leave_when_the_corpus_says_so(tmp_path) -> None:
    table = "id,view\na,pa\nb,\nc,Swimmers\nd,postero-anterior\n"
    plant(tmp_path / "root", {"t.csv": table}, ["a.png", "b.png", "c.png", "d.png"])
    text = IMAGES + '[[table]]\nfiles = "t.csv"\nkey = "{id}"\ncolumns.view = "view"\n'
    words = '[words.view]\n"Postero-Anterior" = "PA"\n'
    found = survey(tmp_path, text + words)
    assert list(rows_of(found)) == ["a", "b", "d"]
    assert found.listing.excluded["not_frontal:Swimmers"] == 1
    assert [c.sentence for c in found.complaints] == ["1 image has no view, taken for frontal"]
    strict = survey(tmp_path, text + words + '[view]\nkeep_unknown = false\nfrontal = ["PA"]\n')
    assert list(rows_of(strict)) == ["a", "d"]
    assert strict.listing.excluded["view_unknown"] == 1
    (tmp_path / "root" / "t.csv").write_text("id,view\nb,\n")
    with pytest.raises(UsageError, match=r"4 × view_unknown.*, or give --views all"):
        survey(tmp_path, text + words + "[view]\nkeep_unknown = false\n")


def test_an_id_that_no_pattern_gives_is_named(tmp_path) -> None:
    plant(tmp_path / "root", {}, ["x/a.png", "b.png"])
    text = IMAGES.replace("{stem}", "{group}/{stem}")
    with pytest.raises(UsageError, match=r"the image b\.png has no id: .* \{group\}/\{stem\}"):
        survey(tmp_path, text)


def test_no_images_says_what_was_found(tmp_path) -> None:
    plant(tmp_path / "root", {"t.csv": "id\na\n"}, ["deep/er/a.png"])
    with pytest.raises(UsageError, match=r"no images in the corpus mine.*outside_image_folders"):
        survey(tmp_path, IMAGES)
