"""CheXpert Plus in a miniature of its layouts; the rows are invented."""

import json

import pytest
from miniature_corpus import items_of, open_known, plant, rows_of

from dfsynth.decode import decode

STUDIES = {
    "train/patient99901/study1/view1_frontal": "Frontal,AP,patient99901,1,62.0,Female,train",
    "train/patient99901/study1/view2_lateral": "Lateral,,patient99901,1,62.0,Female,train",
    "valid/patient99902/study1/view1_frontal": "Frontal,PA,patient99902,1,,Unknown,valid",
}
HEADER = "path_to_image,path_to_dcm,frontal_lateral,ap_pa,deid_patient_id,patient_report_date_order,report,section_narrative,age,sex,race,split"


def table(index: bool = False) -> str:
    lines = []
    for number, (path, texts) in enumerate(STUDIES.items()):
        side, view, patient, order, age, sex, split = texts.split(",")
        report = '"NARRATIVE: invented\nsecond ""line"", of it",invented'
        start = f"{number}," if index else ""
        lines.append(
            f"{start}{path}.jpg,{path}.dcm,{side},{view},{patient},{order},{report},{age},{sex},White,{split}\n"
        )
    return ("," if index else "") + HEADER + "\n" + "".join(lines)


STATES: tuple[dict[str, float | None], ...] = (
    {"Cardiomegaly": 1.0, "Edema": -1.0, "No Finding": None, "Fracture": 0.0},
    {"Cardiomegaly": 1.0, "Edema": -1.0, "No Finding": None},
    {"No Finding": None, "Edema": 0.0, "Cardiomegaly": 1.0},
)
LABELS = "".join(
    json.dumps({"path_to_image": f"{path}.jpg", **states}) + "\n"
    for path, states in zip(STUDIES, STATES, strict=True)
)
FIRST, LATERAL, VALID = (path.split("/", 1)[1] for path in STUDIES)
TABLES = {
    "df_chexpert_plus_240401.csv": table(),
    "chexbert_labels/impression_fixed.json": LABELS,
    "chexbert_labels/report_fixed.json": LABELS.replace("1.0", "0.0"),
}


@pytest.mark.parametrize(
    ("prefix", "suffix"),
    [
        ("DICOM/Uncompressed/", ".dcm"),
        ("DICOM/Compressed/", ".dcm"),
        ("DICOM/", ".dcm"),
        ("PNG/", ".png"),
        ("PNG/png_chexpert_plus_chunk_0.zip//PNG/", ".png"),
        ("PNG/png_chexpert_plus_chunk_0.zip//", ".png"),
        ("png_chexpert_plus_chunk_0.zip//PNG/", ".png"),
        ("PNG.zip//PNG/", ".png"),
    ],
)
def test_the_forms_of_the_release(tmp_path, prefix, suffix) -> None:
    images = [f"{prefix}{path}{suffix}" for path in STUDIES]
    plant(tmp_path / "chexpertplus", TABLES, images)
    source = open_known("chexpert-plus", tmp_path)
    found = source.survey()
    rows = rows_of(found)
    assert list(rows) == [FIRST, VALID]
    assert rows[FIRST] == {
        "image_id": FIRST,
        "uri": images[0],
        "patient_id": "patient99901",
        "view": "AP",
        "sex": "F",
        "age": 62.0,
        "findings": ["Cardiomegaly"],
        "findings_negative": ["Fracture"],
        "findings_uncertain": ["Edema"],
        "split": "train",
    }
    assert rows[VALID]["findings_negative"] == ["Edema"]
    assert not {"sex", "age"} & set(rows[VALID])
    assert found.listing.excluded["not_frontal:LATERAL"] == 1
    assert decode(source.read(items_of(found)[0], 1 << 20)).pixels.shape == (24, 20)


def test_dicom_comes_before_png_and_left_over_downloads_are_no_images(tmp_path) -> None:
    first = next(iter(STUDIES))
    folder, name = first.rsplit("/", 1)
    left_over = f"DICOM/Uncompressed/{folder}/.azDownload-0a1b-{name}.dcm"
    images = [f"DICOM/Uncompressed/{first}.dcm", left_over, *(f"PNG/{p}.png" for p in STUDIES)]
    tables = {**TABLES, "df_chexpert_plus_240401.csv": table(index=True)}
    found = open_known("chexpert-plus", plant(tmp_path, tables, images)).survey()
    rows = rows_of(found)
    assert rows[FIRST]["uri"] == images[0]
    assert rows[VALID]["uri"].startswith("PNG/")
    excluded = found.listing.excluded
    assert (excluded["in_another_form_as_well"], excluded["hidden"]) == (1, 1)
