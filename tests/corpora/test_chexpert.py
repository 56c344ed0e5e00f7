"""CheXpert in a miniature of its layouts; the rows are invented."""

import pytest
from miniature_corpus import items_of, open_known, plant, rows_of

from dfsynth.decode import decode
from dfsynth.errors import UsageError

LABELS = (
    "No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,Edema,"
    "Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,"
    "Support Devices"
)
HEADER = f"Path,Sex,Age,Frontal/Lateral,AP/PA,{LABELS}\n"
SMALL = "CheXpert-v1.0-small"
FULL = "CheXpert-v1.0"


def train(release: str) -> str:
    return HEADER + (
        f"{release}/train/patient70001/study1/view1_frontal.jpg,Female,68,Frontal,AP,"
        "1.0,,,,,,,,,0.0,,,,1.0\n"
        f"{release}/train/patient70002/study2/view1_frontal.jpg,Male,90,Frontal,PA,"
        ",,-1.0,1.0,,-1.0,-1.0,,-1.0,,-1.0,,1.0,\n"
        f"{release}/train/patient70002/study1/view2_lateral.jpg,Male,83,Lateral,,"
        ",,,1.0,,,-1.0,,,,,,1.0,\n"
        f"{release}/train/patient70003/study1/view1_frontal.jpg,Unknown,0,Frontal,LL,"
        ",,,,,,,,,,,,,\n"
        f"{release}/train/patient70004/study1/view1_frontal.jpg,Female,44,Frontal,AP,"
        ",,,,,,,,,,,,,\n"
    )


def valid(release: str) -> str:
    zeros = ",".join(["0.0"] * 13)
    return HEADER + (
        f"{release}/valid/patient64541/study1/view1_frontal.jpg,Male,73,Frontal,AP,{zeros},1.0\n"
    )


FRONTAL = [
    "patient64541/study1/view1_frontal",
    "patient70001/study1/view1_frontal",
    "patient70002/study2/view1_frontal",
]
IMAGES = [
    "train/patient70001/study1/view1_frontal.jpg",
    "train/patient70002/study1/view2_lateral.jpg",
    "train/patient70002/study2/view1_frontal.jpg",
    "train/patient70003/study1/view1_frontal.jpg",
    "valid/patient64541/study1/view1_frontal.jpg",
]


@pytest.mark.parametrize("given", ["own", "holder"])
@pytest.mark.parametrize("release", [SMALL, FULL])
def test_a_release(tmp_path, release, given) -> None:
    tables = {"train.csv": train(release), "valid.csv": valid(release)}
    root = plant(tmp_path / release, tables, IMAGES)
    source = open_known("chexpert", root if given == "own" else tmp_path)
    found = source.survey()
    rows = rows_of(found)
    assert list(rows) == FRONTAL
    second = rows["patient70002/study2/view1_frontal"]
    assert second == {
        "image_id": "patient70002/study2/view1_frontal",
        "uri": "train/patient70002/study2/view1_frontal.jpg",
        "patient_id": "patient70002",
        "view": "PA",
        "sex": "M",
        "age": 90.0,
        "findings": ["Lung Opacity", "Fracture"],
        "findings_negative": [],
        "findings_uncertain": [
            "Cardiomegaly",
            "Edema",
            "Consolidation",
            "Atelectasis",
            "Pleural Effusion",
        ],
        "split": "train",
    }
    first = rows["patient70001/study1/view1_frontal"]
    assert first["findings"] == ["No Finding", "Support Devices"]
    assert first["findings_negative"] == ["Pneumothorax"]
    assert rows["patient64541/study1/view1_frontal"]["split"] == "valid"
    assert len(rows["patient64541/study1/view1_frontal"]["findings_negative"]) == 13
    assert found.listing.excluded["not_frontal:LATERAL"] == 2
    assert found.listing.excluded["in_table_but_not_on_disk"] == 1
    assert found.complaints == ()
    for item in items_of(found):
        assert decode(source.read(item, 1 << 20)).pixels.shape == (24, 20)


def test_all_views(tmp_path) -> None:
    root = plant(tmp_path, {"train.csv": train(SMALL), "valid.csv": valid(SMALL)}, IMAGES)
    rows = rows_of(open_known("chexpert", root, frontal_only=False).survey())
    assert len(rows) == 5
    unknown = rows["patient70003/study1/view1_frontal"]
    assert unknown["view"] == "LATERAL"
    assert not {"sex", "age", "findings", "findings_negative"} & set(unknown)


def test_the_batches_of_the_full_release(tmp_path) -> None:
    first, second = "CheXpert-v1.0 batch 1 (validate & csv)", "CheXpert-v1.0 batch 2 (train 1)"
    root = plant(
        tmp_path / "chexpertchestxrays-u20210408",
        {f"{first}/train.csv": train(FULL), f"{first}/valid.csv": valid(FULL)},
        [
            f"{second}/patient70001/study1/view1_frontal.jpg",
            f"{second}/patient70002/study2/view1_frontal.jpg",
            f"{first}/valid/patient64541/study1/view1_frontal.jpg",
        ],
    )
    rows = rows_of(open_known("chexpert", root).survey())
    assert list(rows) == FRONTAL
    assert [row["split"] for row in rows.values()] == ["valid", "train", "train"]
    assert [row["view"] for row in rows.values()] == ["AP", "AP", "PA"]


def test_labels_of_the_test_set_are_of_studies(tmp_path) -> None:
    zeros = ",".join(["0"] * 13)
    table = f"Study,{LABELS}\n{FULL}/test/patient64741/study1,{zeros},1\n"
    images = ["test/patient64741/study1/view1_frontal.jpg"]
    tables = {"groundtruth.csv": table, "valid.csv": valid(FULL)}
    rows = rows_of(open_known("chexpert", plant(tmp_path, tables, images)).survey())
    found = rows["patient64741/study1/view1_frontal"]
    assert (found["findings"], found["split"]) == (["Support Devices"], "test")
    assert found["view"] == "FRONTAL"


def test_both_releases_in_one_folder_are_told_apart(tmp_path) -> None:
    for release in (SMALL, FULL):
        plant(tmp_path / release, {"train.csv": train(release)}, IMAGES[:1])
    with pytest.raises(UsageError, match=r"more than once: .*give one of them as --root"):
        open_known("chexpert", tmp_path)


def test_a_folder_inside_names_the_right_root(tmp_path) -> None:
    root = plant(tmp_path / SMALL, {"train.csv": train(SMALL)}, IMAGES[:1])
    with pytest.raises(UsageError, match=rf"give --root {root}$"):
        open_known("chexpert", root / "train")
