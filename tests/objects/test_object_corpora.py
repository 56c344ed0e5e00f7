"""Corpora whose tables and images lie in an object store: found, joined and read as on a disk."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from miniature_corpus import items_of, plant, rows_of
from object_server import KEY_ID, SECRET, Bucket
from toy_generator import ToyMaker

from dfsynth.errors import DfsynthError, UsageError
from dfsynth.files import objects
from dfsynth.files.object_path import ObjectPath
from dfsynth.jobs.build_remote import build_anywhere
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.source import CorpusSource, find_corpus, open_source
from dfsynth.store.opened import open_store

LIMIT = 1 << 20
IDS = ("00000001", "00000002", "99999999")


@dataclass(frozen=True)
class Miniature:
    """A corpus in its official layout; the rows are invented."""

    name: str
    folder: str
    tables: Mapping[str, str]
    images: tuple[str, ...]

    def below(self, root: Path) -> Path:
        return plant(root / self.folder, self.tables, self.images)


MIMIC = Miniature(
    "mimic-cxr-jpg",
    "mimic-cxr-jpg/2.1.0",
    {
        "mimic-cxr-2.0.0-metadata.csv.gz": f"""
            dicom_id,subject_id,study_id,ViewPosition
            {IDS[0]},19990001,59990001,PA
            {IDS[1]},19990002,59990002,AP
            {IDS[2]},19990002,59990002,LL
        """,
        "mimic-cxr-2.0.0-split.csv.gz": f"""
            dicom_id,study_id,subject_id,split
            {IDS[0]},59990001,19990001,train
            {IDS[1]},59990002,19990002,validate
        """,
        # Gunzipped, and in another case.
        "MIMIC-CXR-2.0.0-chexpert.csv": """
            subject_id,study_id,Cardiomegaly,Edema
            19990002,59990002,1.0,-1.0
        """,
    },
    (
        f"files/p19/p19990001/s59990001/{IDS[0]}.jpg",
        f"files/p19/p19990002/s59990002/{IDS[1]}.jpg",
        f"files/p19/p19990002/s59990002/{IDS[2]}.jpg",
    ),
)
RSNA = Miniature(
    "rsna-pneumonia",
    "rsna-pneumonia-detection-challenge",
    {
        "stage_2_detailed_class_info.csv": "patientId,class\na,Lung Opacity\nb,Normal\n",
        "stage_2_train_labels.csv": "patientId,x,y,width,height,Target\na,1,1,1,1,1\nb,,,,,0\n",
    },
    ("stage_2_train_images/a.dcm", "stage_2_train_images/b.dcm", "stage_2_test_images/c.dcm"),
)
PADCHEST = Miniature(
    "padchest",
    "PadChest",
    {
        "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv.gz": """
            ImageID,ImageDir,StudyDate_DICOM,PatientID,PatientBirth,PatientSex_DICOM,Projection,Labels
            1_a.png,0,20140915,p1,1930.0,F,PA,"['normal']"
            2_b.png,41,20090305,p2,1951.0,M,L,"['pneumonia']"
            3_c.png,41,20110101,p3,,M,AP,"['pneumonia']"
        """
    },
    ("0.zip//1_a.png", "41.zip//41/2_b.png", "41.zip//41/3_c.png", "0/1_a.png"),
)
MONTGOMERY = Miniature(
    "montgomery",
    "MontgomerySet",
    {"ClinicalReadings/MCUCXR_0001_0.txt": "Patient's Sex: F \nPatient's Age: 027Y\nnormal\n"},
    ("CXR_png/MCUCXR_0001_0.png", "CXR_png/MCUCXR_0113_1.png"),
)
NIH = Miniature(
    "nih",
    "ChestX-ray14",
    {
        "Data_Entry_2017.csv": """
            Image Index,Finding Labels,Patient ID
            a_0.png,Mass,1
            b_0.png,No Finding,2
        """,
        "train_val_list.txt": "a_0.png\n",
        "test_list.txt": "b_0.png\n",
    },
    ("images_001/images/a_0.png", "images_012/images/b_0.png"),
)
CORPORA = {corpus.name: corpus for corpus in (MIMIC, RSNA, PADCHEST, MONTGOMERY, NIH)}


def upload(bucket: Bucket, root: Path, below: str = "") -> None:
    """Puts all files below `root`."""
    for path in filter(Path.is_file, root.rglob("*")):
        bucket.put(below + path.relative_to(root).as_posix(), path.read_bytes())


def opened(spec: str, root: str | Path) -> CorpusSource:
    place = root if isinstance(root, Path) else ObjectPath.parse(root)
    source = open_source(spec, place, frontal_only=True)
    assert isinstance(source, CorpusSource)
    return source


def require_same(ours: CorpusSource, theirs: CorpusSource) -> None:
    found, expected = ours.survey(), theirs.survey()
    assert found.listing.table.equals(expected.listing.table)
    assert found.listing.excluded == expected.listing.excluded
    assert found.listing.warnings == expected.listing.warnings
    assert (found.complaints, found.remarks) == (expected.complaints, expected.remarks)
    assert (ours.name, ours.notes, ours.watched) == (theirs.name, theirs.notes, ())
    for item in items_of(found):
        assert ours.read(item, LIMIT) == theirs.read(item, LIMIT)


@pytest.fixture
def asked(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What is asked of the store: requests by kind."""
    client = objects.filesystem()
    counts: Counter[str] = Counter()
    call, cat = client.call_s3, client.cat_file

    def count_call(method: str, **named: Any) -> Any:
        counts[method] += 1
        return call(method, **named)

    def count_cat(*arguments: Any, **named: Any) -> Any:
        counts["get"] += 1
        return cat(*arguments, **named)

    monkeypatch.setattr(client, "call_s3", count_call)
    monkeypatch.setattr(client, "cat_file", count_cat)
    return counts


@pytest.mark.parametrize("name", CORPORA)
def test_a_corpus_is_read_as_one_on_a_disk(bucket: Bucket, tmp_path: Path, name: str) -> None:
    corpus = CORPORA[name]
    theirs = opened(name, corpus.below(tmp_path))
    upload(bucket, tmp_path, "data/")
    bucket.put("data/", b"")
    assert len(theirs.listing().table) >= 2

    holder = ["data"] if find_corpus(name).root_names else []
    for root in (f"data/{corpus.folder}", *holder):
        ours = opened(name, f"{bucket.url}/{root}")
        assert ours.root == ObjectPath(bucket.name, f"data/{corpus.folder}")
        require_same(ours, theirs)


def test_tables_are_joined_and_zips_are_read(bucket: Bucket, tmp_path: Path) -> None:
    for corpus in (MIMIC, PADCHEST):
        corpus.below(tmp_path)
    upload(bucket, tmp_path)
    rows = rows_of(opened("mimic-cxr-jpg", bucket.url).survey())
    assert rows[IDS[1]] == {
        "image_id": IDS[1],
        "uri": MIMIC.images[1],
        "patient_id": "19990002",
        "view": "AP",
        "findings": ["Cardiomegaly"],
        "findings_negative": [],
        "findings_uncertain": ["Edema"],
        "split": "validate",
    }
    survey = opened("padchest", bucket.url).survey()
    uris = [row["uri"] for row in rows_of(survey).values()]
    assert uris == ["0/1_a.png", "41.zip//41/3_c.png"]
    assert survey.listing.excluded["in_archive_and_unpacked"] == 1


def test_as_many_images_as_one_likes_are_one_listing(
    bucket: Bucket, tmp_path: Path, asked: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    images = tuple(f"files/p19/p19990001/s59990001/{n}.jpg" for n in range(30))
    upload(bucket, replace(MIMIC, images=(*MIMIC.images, *images)).below(tmp_path), "m/")
    asked.clear()

    source = opened("mimic-cxr-jpg", f"{bucket.url}/m")
    # Where the corpus begins is one question, whatever it holds.
    assert asked == {"head_object": 1}
    source.survey()

    assert asked["list_objects_v2"] == 2, "all keys; names beside a table that has another case"
    assert asked["head_object"] < 20
    assert asked["get"] == 0, "no image"
    monkeypatch.setattr(objects, "PAGE_KEYS", 4)
    assert source.survey().listing.excluded["view_unknown"] == 30


@pytest.mark.parametrize("lost", ["required", "expected"])
def test_a_missing_table_is_said_in_the_same_line_as_on_a_disk(
    bucket: Bucket, tmp_path: Path, lost: str
) -> None:
    mark = {"required": "metadata", "expected": "split"}[lost]
    tables = {name: text for name, text in MIMIC.tables.items() if mark not in name}
    root = replace(MIMIC, tables=tables, folder="m").below(tmp_path)
    upload(bucket, root, "m/")
    url = f"{bucket.url}/m"
    ours, theirs = opened("mimic-cxr-jpg", url), opened("mimic-cxr-jpg", root)
    if lost == "expected":
        (warning, *_) = ours.listing().warnings
        assert warning == theirs.listing().warnings[0]
        assert "is not in the root" in warning
        return
    with pytest.raises(UsageError, match="lacks its table") as expected:
        theirs.listing()
    with pytest.raises(UsageError) as caught:
        ours.listing()
    assert str(caught.value) == str(expected.value).replace(str(root), url)
    assert len(str(caught.value).splitlines()) == 1


TOML = """
name = "mine"
title = "Mine"
licence = "CC0"
root_names = ["mine"]
[images]
files = ["{patient}/*.png"]
id = "{patient}/{stem}"
[[table]]
files = ["tables/t-*.csv"]
read = "all"
key = "{id}"
[table.columns]
sex = "sex"
"""
MINE = Miniature(
    "mine",
    "mine",
    {"tables/t-1.csv": "id,sex\np1/a,F\n", "tables/t-2.csv": "id,sex\np2/b,M\n"},
    ("p1/a.png", "p2/b.png"),
)


def test_a_description_here_or_in_the_store(bucket: Bucket, tmp_path: Path) -> None:
    theirs_root = MINE.below(tmp_path / "data")
    upload(bucket, tmp_path / "data")
    toml = tmp_path / "mine.toml"
    toml.write_text(TOML)
    bucket.put("about/mine.toml", TOML.encode())
    theirs = opened(str(toml), theirs_root)
    assert theirs.listing().table["sex"].to_pylist() == ["F", "M"]
    for spec in (str(toml), f"{bucket.url}/about/mine.toml"):
        require_same(opened(spec, bucket.url), theirs)
    # Tables beside nothing: the images alone tell which folder it is.
    for name in MINE.tables:
        bucket.remove(f"mine/{name}")
    assert opened(str(toml), bucket.url).root == ObjectPath(bucket.name, "mine")
    with pytest.raises(UsageError, match="needs --root"):
        open_source(f"{bucket.url}/about/mine.toml", None)
    with pytest.raises(UsageError, match="there is no object"):
        open_source(f"{bucket.url}/about/other.toml", ObjectPath.parse(bucket.url))


def test_a_corpus_that_is_there_twice_is_refused(bucket: Bucket, tmp_path: Path) -> None:
    for folder in ("mimic-cxr-jpg", "mimic-cxr-jpg/2.1.0"):
        replace(MIMIC, folder=folder).below(tmp_path)
    upload(bucket, tmp_path)
    with pytest.raises(UsageError, match=rf"more than once: {bucket.url}/\S+, {bucket.url}/\S+;"):
        opened("mimic-cxr-jpg", bucket.url)


def test_where_nothing_is_one_line_says_so(bucket: Bucket) -> None:
    with pytest.raises(UsageError, match=rf"no images in the corpus nih below {bucket.url}/x: "):
        opened("nih", f"{bucket.url}/x").listing()
    with pytest.raises(UsageError, match="there is no bucket 'no-such-bucket'"):
        opened("nih", "s3://no-such-bucket/x")
    with pytest.raises(UsageError, match="did you mean nih"):
        open_source("nihh", ObjectPath.parse(bucket.url))
    with pytest.raises(UsageError, match=r"expected the name or the \.toml of a corpus"):
        open_source(str(Path(__file__)), ObjectPath.parse(bucket.url))


def test_a_store_that_refuses_a_table_repeats_no_secret(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(bucket, MONTGOMERY.below(tmp_path))
    source = opened("montgomery", bucket.url)

    def refuse(*_: Any, **__: Any) -> bytes:
        from botocore.exceptions import ClientError

        answer = {"Error": {"Code": "ExpiredToken", "Message": f"{KEY_ID} {SECRET}"}}
        raise OSError("refused") from ClientError(answer, "GetObject")

    monkeypatch.setattr(objects.filesystem(), "cat_file", refuse)
    with pytest.raises(DfsynthError, match="credentials are missing, wrong or have ex") as caught:
        source.listing()
    assert SECRET not in str(caught.value)
    assert KEY_ID not in str(caught.value)


def test_sources_check_says_what_it_finds(bucket: Bucket, tmp_path: Path, run_cli: Any) -> None:
    upload(bucket, NIH.below(tmp_path))
    status, out, err = run_cli("sources", "check", "nih", "--root", bucket.url, "--json")
    report = json.loads(out)
    assert (report["root"], report["images"]) == (bucket.url, 2)
    assert report["counts"]["split"] == {"train_val": 1, "test": 1}
    assert (status == 0, err) == (not report["problems"], "")


def test_a_build_from_and_to_the_store(bucket: Bucket, tmp_path: Path) -> None:
    corpus = PADCHEST.below(tmp_path)
    upload(bucket, corpus, "chests/")
    built = []
    for root, out in (
        (str(corpus), str(tmp_path / "x.zarr")),
        (f"{bucket.url}/chests", f"{bucket.url}/x.zarr"),
    ):
        options = BuildOptions.of(source="padchest", root=root, out=out, shard_size=1, workers=1)
        report = build_anywhere(options, ToyMaker(batch_size=1), Silent())
        assert (report.ok, report.failed) == (2, 0)
        assert build_anywhere(options, ToyMaker(batch_size=1), Silent()).resumed
        built.append(open_store(out).manifest.drop(["seconds"]))
    assert built[0].equals(built[1])
