"""VinDr-PCXR in a miniature of its layout; the rows are invented."""

import pytest
from miniature_corpus import open_known, plant, rows_of

HEADER = "image_id,rad_ID,No finding,Bronchitis,Brocho-pneumonia,Other disease,Bronchiolitis,Situs inversus,Pneumonia,Pleuro-pneumonia,Diagphramatic hernia,Tuberculosis,Congenital emphysema,CPAM,Hyaline membrane disease,Mediastinal tumor,Lung tumor\n"
FIRST, SECOND = "0000000000000000000000000000bbbb", "0000000000000000000000000000cccc"
TRAIN = HEADER + f"{FIRST},R1,0.0,0.0,1.0,0.0,1.0" + ",0.0" * 10 + "\n"
TEST = HEADER + f"{SECOND},R2,1" + ",0" * 14 + "\n"
IMAGES = [f"train/{FIRST}.dicom", f"test/{SECOND}.dicom"]
LONG = "vindr-pcxr-an-open-large-scale-pediatric-chest-x-ray-dataset-for-interpretation-of-common-thoracic-diseases-1.0.0"


@pytest.mark.parametrize("folder", ["vindr-pcxr/1.0.0", LONG])
@pytest.mark.parametrize("tables_in", ["", "annotations/"])
def test_children_by_two_tables(tmp_path, folder, tables_in) -> None:
    tables = {
        f"{tables_in}image_labels_train.csv": TRAIN,
        f"{tables_in}image_labels_test.csv": TEST,
    }
    plant(tmp_path / folder, tables, IMAGES)
    source = open_known("vindr-pcxr", tmp_path)
    found = source.survey()
    rows = rows_of(found)
    assert source.notes["paediatric"] is True
    assert rows[FIRST]["findings"] == ["Brocho-pneumonia", "Bronchiolitis"]
    assert len(rows[FIRST]["findings_negative"]) == 13
    assert rows[SECOND]["findings"] == ["No finding"]
    assert [row["split"] for row in rows.values()] == ["train", "test"]
    assert {row["view"] for row in rows.values()} == {"PA"}
    assert not any("patient_id" in row for row in rows.values())
    assert found.complaints == ()
