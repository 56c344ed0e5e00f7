"""MIMIC-CXR (DICOM) in a miniature of its layouts; the rows are invented."""

import pytest
from miniature_corpus import items_of, open_known, plant, rows_of

from dfsynth.decode import decode
from dfsynth.errors import UsageError

FRONTAL, LATERAL = (
    f"aaaaaaaa-bbbbbbbb-cccccccc-dddddddd-{end}" for end in ("00000001", "99999999")
)
STUDY = "p19/p19990001/s59990001"
RECORDS = f"""
    subject_id,study_id,dicom_id,path
    19990001,59990001,{FRONTAL},files/{STUDY}/{FRONTAL}.dcm
    19990001,59990001,{LATERAL},files/{STUDY}/{LATERAL}.dcm
    19990002,59990002,ffffffff-bbbbbbbb-cccccccc-dddddddd-00000001,files/p19/p19990002/s59990002/ffffffff-bbbbbbbb-cccccccc-dddddddd-00000001.dcm
"""
OWN = {
    "cxr-record-list.csv.gz": RECORDS,
    "cxr-study-list.csv.gz": f"subject_id,study_id,path\n19990001,59990001,files/{STUDY}.txt\n",
    f"files/{STUDY}.txt": "FINAL REPORT",
}
OTHERS = {
    "mimic-cxr-2.0.0-metadata.csv.gz": f"""
        dicom_id,subject_id,study_id,ViewPosition,Rows,Columns
        {FRONTAL},19990001,59990001,PA,3056,2544
        {LATERAL},19990001,59990001,LATERAL,3056,2544
    """,
    "mimic-cxr-2.0.0-split.csv.gz": f"""
        dicom_id,study_id,subject_id,split
        {FRONTAL},59990001,19990001,test
    """,
    "mimic-cxr-2.0.0-chexpert.csv.gz": """
        subject_id,study_id,Atelectasis,Cardiomegaly,Consolidation,Edema,Enlarged Cardiomediastinum,Fracture,Lung Lesion,Lung Opacity,No Finding,Pleural Effusion,Pleural Other,Pneumonia,Pneumothorax,Support Devices
        19990001,59990001,,1.0,,-1.0,,,,,,,,,0.0,
    """,
}
IMAGES = [f"files/{STUDY}/{name}.dcm" for name in (FRONTAL, LATERAL)]


def below(folder: str, tables: dict[str, str]) -> dict[str, str]:
    return {f"{folder}{name}": text for name, text in tables.items()}


def check(root, prefix: str = "") -> None:
    source = open_known("mimic-cxr", root)
    found = source.survey()
    assert rows_of(found) == {
        FRONTAL: {
            "image_id": FRONTAL,
            "uri": prefix + IMAGES[0],
            "patient_id": "19990001",
            "view": "PA",
            "findings": ["Cardiomegaly"],
            "findings_negative": ["Pneumothorax"],
            "findings_uncertain": ["Edema"],
            "split": "test",
        }
    }
    assert found.listing.excluded["not_frontal:LATERAL"] == 1
    assert found.listing.excluded["in_table_but_not_on_disk"] == 1
    assert found.complaints == ()
    assert decode(source.read(items_of(found)[0], 1 << 20)).pixels.shape == (24, 20)


@pytest.mark.parametrize("folder", ["2.1.0", "mimic-cxr/2.0.0", "somewhere"])
def test_tables_beside_the_files(tmp_path, folder) -> None:
    plant(tmp_path / folder, {**OWN, **OTHERS}, IMAGES)
    if folder.startswith("mimic"):
        check(tmp_path, f"{folder}/")
        check(tmp_path / "mimic-cxr")
    else:
        check(tmp_path / folder if folder == "somewhere" else tmp_path)


@pytest.mark.parametrize(
    "others", ["mimic-cxr-jpg/2.1.0/", "mimic-cxr-jpg/2.0.0/", "mimic-cxr-jpg/"]
)
@pytest.mark.parametrize("packed", [True, False])
def test_folders_of_both_corpora_side_by_side(tmp_path, others, packed) -> None:
    tables = below(others, OTHERS)
    if not packed:
        tables = {name.removesuffix(".gz"): text for name, text in tables.items()}
    jpg = IMAGES[0].replace(".dcm", ".jpg")
    root = tmp_path / "physionet.org" / "files"
    plant(root, {**below("mimic-cxr/2.1.0/", OWN), **tables}, [f"{others}{jpg}"])
    plant(root / "mimic-cxr" / "2.1.0", {}, IMAGES)
    check(root, "mimic-cxr/2.1.0/")
    check(tmp_path, "mimic-cxr/2.1.0/")


def test_without_the_other_corpus_no_view_is_known(tmp_path) -> None:
    root = plant(tmp_path, OWN, IMAGES)
    with pytest.raises(UsageError, match=r"2 × view_unknown; .* or give --views all"):
        open_known("mimic-cxr", root).survey()
    found = open_known("mimic-cxr", root, frontal_only=False).survey()
    assert list(rows_of(found)) == [FRONTAL, LATERAL]
    assert "mimic-cxr-2.0.0-metadata.csv.gz" in found.complaints[0].sentence
