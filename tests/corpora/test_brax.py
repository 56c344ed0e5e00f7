"""BRAX in a miniature of its layouts; the rows are invented."""

import pytest
from miniature_corpus import items_of, open_known, plant, rows_of

from dfsynth.decode import decode
from dfsynth.errors import UsageError

NUMBERS = "11111111-22222222-33333333-44444444"
HEADER = ",DicomPath,PngPath,PatientID,PatientSex,PatientAge,AccessionNumber,StudyDate,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Lesion,Lung Opacity,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices,ViewPosition,Rows,Columns,Manufacturer\n"


def place(patient: str, number: int) -> str:
    dotted = NUMBERS.replace("-", ".")
    return (
        f"id_{patient}-{NUMBERS}/Study_{dotted}.5555555{number}/Series_{dotted}.6666666{number}/"
        f"image-{NUMBERS}-7777777{number}"
    )


def line(number: int, place: str, sex: str, age: str, labels: str, view: str) -> str:
    return (
        f"{number},Anonymized_DICOMs/{place}.dcm,images/{place}.png,{place.partition('/')[0]},{sex},"
        f"{age},100000{number},20100101,{labels},{view},2048,2048,1\n"
    )


PA, AP, LATERAL, LYING, BLANK = (place(f"0a0a0a0{n}", n) for n in range(5))
TABLE = HEADER + "".join(
    (
        line(0, PA, "M", "85 or more", "1.0" + "," * 13, "PA"),
        line(1, AP, "F", "60", ",,1,,,,,0.0,,-1.0,1.0,,,1", "AP"),
        line(2, LATERAL, "O", "5", "," * 13, "L"),
        line(3, LYING, "F", "5", "," * 13, "AP LLD"),
        line(4, BLANK, "F", "5", "," * 13, ""),
    )
)
ALL = (PA, AP, LATERAL, LYING, BLANK)


@pytest.mark.parametrize(
    ("before", "after", "table"),
    [
        ("images/", ".png", "master_spreadsheet_update.csv"),
        ("Anonymized_DICOMs/", ".dcm", "master_spreadsheet_update.csv"),
        ("Anonymized_DICOMs/", "", "master_spreadsheet.csv"),
    ],
)
def test_views_and_findings(tmp_path, before, after, table) -> None:
    images = [f"{before}{path}{after}" for path in ALL]
    tables = {table: TABLE, "LICENSE.txt": "x", "IMAGE_FILENAMES": "x"}
    plant(tmp_path / "brax" / "1.1.0", tables, images)
    source = open_known("brax", tmp_path)
    found = source.survey()
    rows = rows_of(found)
    assert rows == {
        PA: {
            "image_id": PA,
            "uri": images[0],
            "patient_id": f"id_0a0a0a00-{NUMBERS}",
            "view": "PA",
            "sex": "M",
            "age": 85.0,
            "findings": ["No Finding"],
            "findings_negative": [],
            "findings_uncertain": [],
        },
        AP: {
            "image_id": AP,
            "uri": images[1],
            "patient_id": f"id_0a0a0a01-{NUMBERS}",
            "view": "AP",
            "sex": "F",
            "age": 60.0,
            "findings": ["Cardiomegaly", "Pleural Effusion", "Support Devices"],
            "findings_negative": ["Pneumonia"],
            "findings_uncertain": ["Pneumothorax"],
        },
    }
    excluded = found.listing.excluded
    reasons = ("not_frontal:LATERAL", "not_frontal:AP LLD", "view_unknown")
    assert [excluded[reason] for reason in reasons] == [1, 1, 1]
    assert found.complaints == ()
    assert decode(source.read(items_of(found)[0], 1 << 20)).pixels.shape == (24, 20)


def test_of_both_forms_dicom_is_taken(tmp_path) -> None:
    images = [f"Anonymized_DICOMs/{PA}.dcm", f"images/{PA}.png", f"images/{AP}.png"]
    root = plant(tmp_path, {"master_spreadsheet_update.csv": TABLE}, images)
    rows = rows_of(open_known("brax", root).survey())
    assert [row["uri"] for row in rows.values()] == [images[0], images[2]]


def test_without_the_table_it_is_refused(tmp_path) -> None:
    source = open_known("brax", plant(tmp_path, {}, [f"images/{PA}.png"]))
    with pytest.raises(UsageError, match=r"lacks its table master_spreadsheet_update\.csv"):
        source.survey()
