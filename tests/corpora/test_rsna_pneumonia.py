"""The RSNA challenge in a miniature of its layout; the rows are invented."""

import pytest
from miniature_corpus import items_of, open_known, plant, rows_of

from dfsynth.decode import decode

NOT_NORMAL, OPAQUE, NORMAL, UNLABELLED = (f"00000000-0000-4000-8000-00000000000{n}" for n in "abcd")
CLASSES = f"""
    patientId,class
    {NOT_NORMAL},No Lung Opacity / Not Normal
    {OPAQUE},Lung Opacity
    {OPAQUE},Lung Opacity
    {NORMAL},Normal
"""
BOXES = f"""
    patientId,x,y,width,height,Target
    {NOT_NORMAL},,,,,0
    {OPAQUE},264.0,152.0,213.0,379.0,1
    {OPAQUE},562.0,152.0,256.0,453.0,1
    {NORMAL},,,,,0
"""
TABLES = {
    "stage_2_detailed_class_info.csv": CLASSES,
    "stage_2_train_labels.csv": BOXES,
    "stage_2_sample_submission.csv": f"patientId,PredictionString\n{UNLABELLED},0.5 0 0 9 9\n",
}
IMAGES = [f"stage_2_train_images/{name}.dcm" for name in (NOT_NORMAL, OPAQUE, NORMAL)]


def test_several_rows_an_image(tmp_path) -> None:
    root = plant(tmp_path, TABLES, [*IMAGES, f"stage_2_test_images/{UNLABELLED}.dcm"])
    source = open_known("rsna-pneumonia", root)
    found = source.survey()
    rows = rows_of(found)
    assert rows[OPAQUE] == {
        "image_id": OPAQUE,
        "uri": IMAGES[1],
        "view": "FRONTAL",
        "findings": ["Lung Opacity"],
        "findings_negative": [],
        "findings_uncertain": [],
        "split": "train",
    }
    assert rows[NORMAL]["findings"] == ["Normal"]
    assert rows[NORMAL]["findings_negative"] == ["Lung Opacity"]
    assert rows[NOT_NORMAL]["findings"] == ["No Lung Opacity / Not Normal"]
    assert rows[UNLABELLED]["split"] == "test"
    assert "findings" not in rows[UNLABELLED]
    assert decode(source.read(items_of(found)[0], 1 << 20)).pixels.shape == (24, 20)


@pytest.mark.parametrize("missing", [0, 1])
def test_one_table_is_enough(tmp_path, missing) -> None:
    tables = {name: text for n, (name, text) in enumerate(TABLES.items()) if n != missing}
    rows = rows_of(open_known("rsna-pneumonia", plant(tmp_path, tables, IMAGES)).survey())
    assert rows[OPAQUE]["findings"] == ["Lung Opacity"]
    assert rows[NORMAL]["findings_negative"] == ["Lung Opacity"]


def test_images_that_stay_in_their_zip(tmp_path) -> None:
    packed = f"stage_2_train_images.zip//{OPAQUE}.dcm"
    source = open_known("rsna-pneumonia", plant(tmp_path, TABLES, [packed]))
    found = source.survey()
    assert rows_of(found)[OPAQUE]["uri"] == packed
    assert decode(source.read(items_of(found)[0], 1 << 20)).pixels.shape == (24, 20)
