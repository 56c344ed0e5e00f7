"""CXR-LT 2024 in a miniature of its layouts; the rows are invented."""

import pytest
from miniature_corpus import open_known, plant, rows_of

from dfsynth.errors import UsageError
from dfsynth.resources import data_folder
from dfsynth.source import load_corpus

LABELS = load_corpus(data_folder("corpora") / "cxr-lt.toml").tables[0].labels
assert LABELS is not None
NAMES = list(LABELS.names)
STUDY = "files/p19/p19990001/s59990001"
FRONTAL, LATERAL, BLANK = (f"aaaaaaaa-bbbbbbbb-cccccccc-dddddddd-{end}" for end in "123")


def row(name: str, view: str, split: str, *positive: str) -> str:
    states = ",".join("1" if label in positive else "0" for label in NAMES)
    return f"{name},19990001,59990001,{view},,{STUDY}/{name}.jpg,{states},{split}\n"


TABLE = (
    "dicom_id,subject_id,study_id,ViewPosition,ViewCodeSequence_CodeMeaning,fpath,"
    + ",".join(NAMES)
    + ",split\n"
    + row(FRONTAL, "PA", "development", "Round(ed) Atelectasis", "Scoliosis")
    + row(LATERAL, "LL", "train", "Normal")
    + row(BLANK, "", "train", "Normal")
)
IMAGES = [f"{STUDY}/{name}.jpg" for name in (FRONTAL, LATERAL, BLANK)]


def test_the_labels_are_those_of_2024() -> None:
    assert len(NAMES) == 45
    assert {"Normal", "Bulla", "Hilum", "Kyphosis", "Tuberculosis"} <= set(NAMES)
    assert "No Finding" not in NAMES


@pytest.mark.parametrize(
    ("labels", "images"),
    [
        ("cxr-lt-2024/", ""),
        ("cxr-lt-iccv-workshop-cvamd/2.0.0/cxr-lt-2024/", "mimic-cxr-jpg/2.1.0/"),
        ("cxr-lt-iccv-workshop-cvamd/cxr-lt-2024/", "mimic-cxr-jpg/"),
        (
            "cxr-lt-multi-label-long-tailed-classification-on-chest-x-rays-2.0.0/cxr-lt-2024/",
            "mimic-cxr-jpg/2.0.0/",
        ),
    ],
)
def test_labels_and_images_of_two_corpora(tmp_path, labels, images) -> None:
    unlabelled = {f"{labels}test_task1.csv": "dicom_id,fpath\n"}
    written = [images + path for path in IMAGES]
    plant(tmp_path / "physionet.org/files", {f"{labels}labels.csv": TABLE, **unlabelled}, written)
    found = open_known("cxr-lt", tmp_path).survey()
    rows = rows_of(found)
    assert list(rows) == [FRONTAL]
    negative = rows[FRONTAL].pop("findings_negative")
    assert rows[FRONTAL] == {
        "image_id": FRONTAL,
        "uri": written[0],
        "patient_id": "19990001",
        "view": "PA",
        "findings": ["Round(ed) Atelectasis", "Scoliosis"],
        "findings_uncertain": [],
        "split": "development",
    }
    assert len(negative) == 43
    excluded = found.listing.excluded
    assert (excluded["not_frontal:LATERAL"], excluded["view_unknown"]) == (1, 1)
    assert found.complaints == ()


def test_images_without_labels_are_refused(tmp_path) -> None:
    source = open_known("cxr-lt", plant(tmp_path, {}, IMAGES))
    with pytest.raises(UsageError, match=r"lacks its table cxr-lt-2024/labels\.csv"):
        source.survey()
