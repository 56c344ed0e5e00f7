"""The Montgomery set in a miniature of its layouts; texts are invented, but for the groups."""

import pytest
from miniature_corpus import open_known, plant, rows_of

TEXTS = {
    "MCUCXR_0001_0": "Patient's Sex: F \nPatient's Age: 027Y\nnormal\n",
    "MCUCXR_0080_0": "Patient\u2019s Sex: O\r\nPatient\u2019s Age: 005Y\r\nnormal",
    "MCUCXR_0113_1": "Patient's Sex: M \nPatient's Age: 084Y\nPatient's Sex: F is a typing error.",
    "MCUCXR_0117_1": "Patient's Sex: M \nPatient's Age: 085Y\n(same pt as MCUCXR_0113_1)",
    "MCUCXR_0162_1": "Patient's Sex: M\nPatient's Age: 045Y\n",
    "MCUCXR_0166_1": "NO REPORT (same pt as MCUCXR_0162_1)",
}
IMAGES = [f"CXR_png/{stem}.png" for stem in (*TEXTS, "MCUCXR_0170_1")]
MASKS = ["ManualMask/leftMask/MCUCXR_0001_0.png", "ManualMask/rightMask/MCUCXR_0001_0.png"]


@pytest.mark.parametrize("folder", ["MontgomerySet", "NLM-MontgomeryCXRSet/MontgomerySet"])
def test_names_texts_and_patients(tmp_path, folder) -> None:
    tables = {f"ClinicalReadings/{stem}.txt": text for stem, text in TEXTS.items()}
    root = plant(tmp_path / folder, tables, [*IMAGES, *MASKS])
    for given in (root, tmp_path):
        found = open_known("montgomery", given).survey()
        rows = list(rows_of(found).values())
        patients = [row["patient_id"] for row in rows]
        assert patients == ["0001", "0080", "0113", "0113", "0162", "0162", "0162"]
        assert [row.get("sex") for row in rows] == ["F", "O", "M", "M", "M", None, None]
        assert [row.get("age") for row in rows] == [27.0, 5.0, 84.0, 85.0, 45.0, None, None]
        assert {row["view"] for row in rows} == {"PA"}
        assert rows[0]["pixel_mm"] == pytest.approx(0.0875)
        labels = [row["findings"] for row in rows]
        assert labels == [["Normal"]] * 2 + [["Tuberculosis"]] * 5
        assert found.listing.excluded["outside_image_folders"] == 2
