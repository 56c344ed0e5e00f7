"""MIMIC-CXR-JPG in a miniature of its layout; the rows are invented."""

import pytest
from miniature_corpus import items_of, open_known, plant, rows_of

from dfsynth.decode import decode
from dfsynth.errors import UsageError

IDS = [f"aaaaaaaa-bbbbbbbb-cccccccc-dddddddd-{last}" for last in ("00000001", "00000002")]
LATERAL, BLANK = (
    f"aaaaaaaa-bbbbbbbb-cccccccc-dddddddd-{last}" for last in ("99999999", "eeeeeeee")
)
METADATA = f"""
    dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,StudyDate,StudyTime,ProcedureCodeSequence_CodeMeaning,ViewCodeSequence_CodeMeaning,PatientOrientationCodeSequence_CodeMeaning
    {IDS[0]},19990001,59990001,CHEST (PA AND LAT),PA,3056,2544,21800506,213014.531,CHEST (PA AND LAT),postero-anterior,Erect
    {LATERAL},19990001,59990001,CHEST (PA AND LAT),LL,3056,2544,21800506,213014.531,CHEST (PA AND LAT),lateral,Erect
    {IDS[1]},19990002,59990002,CHEST (PORTABLE AP),AP,2544,3056,21800626,165500.312,CHEST (PORTABLE AP),antero-posterior,
    {BLANK},19990002,59990003,,,2544,3056,21800627,165500.312,,,
"""
SPLIT = f"""
    dicom_id,study_id,subject_id,split
    {IDS[0]},59990001,19990001,train
    {LATERAL},59990001,19990001,train
    {IDS[1]},59990002,19990002,validate
    {BLANK},59990003,19990002,validate
"""
CHEXPERT = """
    subject_id,study_id,Atelectasis,Cardiomegaly,Consolidation,Edema,Enlarged Cardiomediastinum,Fracture,Lung Lesion,Lung Opacity,No Finding,Pleural Effusion,Pleural Other,Pneumonia,Pneumothorax,Support Devices
    19990001,59990001,,,,,,,,,1.0,,,,,
    19990002,59990002,0.0,1.0,-1.0,,,,,1.0,,,,,0.0,1.0
"""
TABLES = {
    "mimic-cxr-2.0.0-metadata.csv.gz": METADATA,
    "mimic-cxr-2.0.0-split.csv.gz": SPLIT,
    "mimic-cxr-2.0.0-chexpert.csv.gz": CHEXPERT,
    "SHA256SUMS.txt": "0 files",
}
IMAGES = [
    f"files/p19/p19990001/s59990001/{IDS[0]}.jpg",
    f"files/p19/p19990001/s59990001/{LATERAL}.jpg",
    f"files/p19/p19990002/s59990002/{IDS[1]}.jpg",
    f"files/p19/p19990002/s59990003/{BLANK}.jpg",
]


@pytest.mark.parametrize("folder", ["2.1.0", "mimic-cxr-jpg/2.1.0", "somewhere"])
def test_three_tables_and_the_path_are_joined(tmp_path, folder) -> None:
    root = plant(tmp_path / folder, TABLES, IMAGES)
    source = open_known("mimic-cxr-jpg", root if folder == "somewhere" else tmp_path)
    found = source.survey()
    assert rows_of(found) == {
        IDS[0]: {
            "image_id": IDS[0],
            "uri": IMAGES[0],
            "patient_id": "19990001",
            "view": "PA",
            "findings": ["No Finding"],
            "findings_negative": [],
            "findings_uncertain": [],
            "split": "train",
        },
        IDS[1]: {
            "image_id": IDS[1],
            "uri": IMAGES[2],
            "patient_id": "19990002",
            "view": "AP",
            "findings": ["Cardiomegaly", "Lung Opacity", "Support Devices"],
            "findings_negative": ["Atelectasis", "Pneumothorax"],
            "findings_uncertain": ["Consolidation"],
            "split": "validate",
        },
    }
    excluded = found.listing.excluded
    assert (excluded["not_frontal:LATERAL"], excluded["view_unknown"]) == (1, 1)
    assert found.complaints == ()
    assert decode(source.read(items_of(found)[0], 1 << 20)).pixels.shape == (24, 20)


def test_unpacked_tables_are_found(tmp_path) -> None:
    tables = {name.removesuffix(".gz"): text for name, text in TABLES.items()}
    rows = rows_of(open_known("mimic-cxr-jpg", plant(tmp_path, tables, IMAGES)).survey())
    assert [row["split"] for row in rows.values()] == ["train", "validate"]


def test_without_the_table_of_views_it_is_refused(tmp_path) -> None:
    tables = {name: text for name, text in TABLES.items() if "metadata" not in name}
    source = open_known("mimic-cxr-jpg", plant(tmp_path, tables, IMAGES))
    with pytest.raises(UsageError, match=r"lacks its table mimic-cxr-2\.0\.0-metadata\.csv\.gz in"):
        source.listing()


def test_all_views(tmp_path) -> None:
    source = open_known("mimic-cxr-jpg", plant(tmp_path, TABLES, IMAGES), frontal_only=False)
    assert [row.get("view") for row in rows_of(source.survey()).values()] == [
        "PA",
        "AP",
        "LATERAL",
        None,
    ]
