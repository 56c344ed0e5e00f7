"""VinDr-CXR in a miniature of its layout; the rows are invented."""

import pytest
from miniature_corpus import items_of, open_known, plant, rows_of

from dfsynth.decode import decode

NAMES = "Aortic enlargement,Atelectasis,Calcification,Cardiomegaly,Clavicle fracture,Consolidation,Edema,Emphysema,Enlarged PA,ILD,Infiltration,Lung Opacity,Lung cavity,Lung cyst,Mediastinal shift,Nodule/Mass,Pleural effusion,Pleural thickening,Pneumothorax,Pulmonary fibrosis,Rib fracture,Other lesion,COPD,Lung tumor,Pneumonia,Tuberculosis,Other diseases,No finding"
ALL = NAMES.split(",")
FIRST, SECOND, THIRD = (f"0000000000000000000000000000{end}" for end in ("aaaa", "bbbb", "cccc"))


def row(start: str, *positive: str) -> str:
    return f"{start}," + ",".join("1" if name in positive else "0" for name in ALL) + "\n"


TRAIN = f"image_id,rad_id,{NAMES}\n" + "".join(
    (
        row(f"{FIRST},R10", "Cardiomegaly", "Other diseases"),
        row(f"{SECOND},R9", "No finding"),
        row(f"{FIRST},R8", "Cardiomegaly", "Nodule/Mass"),
        row(f"{FIRST},R17", "Cardiomegaly", "Other diseases"),
        row(f"{SECOND},R8", "No finding"),
        row(f"{SECOND},R10", "No finding"),
    )
)
TEST = f"image_id,{NAMES.replace('Other diseases', 'Other disease')}\n" + row(
    THIRD, "Other diseases"
)
IMAGES = [f"train/{FIRST}.dicom", f"train/{SECOND}.dicom", f"test/{THIRD}.dicom"]


@pytest.mark.parametrize("tables_in", ["annotations/", ""])
def test_three_readers_and_a_consensus(tmp_path, tables_in) -> None:
    tables = {
        f"{tables_in}image_labels_train.csv": TRAIN,
        f"{tables_in}image_labels_test.csv": TEST,
        f"{tables_in}annotations_train.csv": "image_id,rad_id,class_name,x_min,y_min,x_max,y_max\n",
    }
    plant(tmp_path / "vindr-cxr" / "1.0.0", tables, IMAGES)
    source = open_known("vindr-cxr", tmp_path)
    found = source.survey()
    rows = rows_of(found)
    assert rows[FIRST] == {
        "image_id": FIRST,
        "uri": IMAGES[0],
        "view": "PA",
        "findings": ["Cardiomegaly", "Other diseases"],
        "findings_negative": [
            name for name in ALL if name not in ("Cardiomegaly", "Other diseases", "Nodule/Mass")
        ],
        "findings_uncertain": ["Nodule/Mass"],
        "split": "train",
    }
    assert rows[SECOND]["findings"] == ["No finding"]
    assert rows[THIRD]["findings"] == ["Other diseases"]
    assert len(rows[THIRD]["findings_negative"]) == 27
    assert rows[THIRD]["split"] == "test"
    assert found.complaints == ()
    assert decode(source.read(items_of(found)[0], 1 << 20)).pixels.shape == (24, 20)


def test_the_competition_s_form_has_images_only(tmp_path) -> None:
    boxes = (
        f"image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n{FIRST},ILD,5,R9,1,1,9,9\n"
    )
    found = open_known("vindr-cxr", plant(tmp_path, {"train.csv": boxes}, IMAGES)).survey()
    assert [row["split"] for row in rows_of(found).values()] == ["train", "train", "test"]
    assert len(found.complaints) == 2
