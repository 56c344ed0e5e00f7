"""SIIM-ACR in a miniature of its layouts; the rows are invented."""

import pytest
from miniature_corpus import open_known, plant, rows_of

UID = "1.2.276.0.7230010.3.1.{}.8323329.{}.1517875000.100001"
CLEAR, TWICE, TEST, BARE = (UID.format(4, number) for number in (99901, 99902, 99903, 99904))
FIRST = f"""
    ImageId, EncodedPixels
    {CLEAR}, -1
    {TWICE}, 387620 23 996 33 986 43
    {TWICE}, 402100 12 1010 20
"""
SECOND = FIRST.replace(", ", ",") + f"    {TEST},12 4\n"


def place(folder: str, image: str) -> str:
    return f"dicom-images-{folder}/{UID.format(2, 1)}/{UID.format(3, 1)}/{image}.dcm"


IMAGES = [
    place("train", CLEAR),
    place("train", TWICE),
    place("train", BARE),
    place("test", TEST),
    "stage_2_images/ID_0011aabbc.dcm",
]


@pytest.mark.parametrize(
    ("tables", "of_test"),
    [
        ({"train-rle.csv": FIRST}, None),
        ({"stage_2_train.csv": SECOND}, ["Pneumothorax"]),
        ({"train-rle.csv": FIRST, "stage_2_train.csv": SECOND}, ["Pneumothorax"]),
    ],
)
def test_masks_say_pneumothorax(tmp_path, tables, of_test) -> None:
    plant(tmp_path / "siim", tables, IMAGES)
    rows = rows_of(open_known("siim-acr", tmp_path).survey())
    assert rows[CLEAR] == {
        "image_id": CLEAR,
        "uri": IMAGES[0],
        "view": "FRONTAL",
        "findings": [],
        "findings_negative": ["Pneumothorax"],
        "findings_uncertain": [],
        "split": "train",
    }
    assert rows[TWICE]["findings"] == ["Pneumothorax"]
    assert rows[TEST].get("findings") == of_test
    assert not {"findings", "findings_negative"} & set(rows[BARE])
    splits = [row["split"] for row in rows.values()]
    assert splits == ["train", "train", "test", "train", "stage_2_test"]
