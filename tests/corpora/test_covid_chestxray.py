"""The COVID-19 Image Data Collection in a miniature of its layout; the rows are invented."""

import pytest
from miniature_corpus import items_of, open_known, plant, rows_of

from dfsynth.decode import decode

HEADER = "patientid,offset,sex,age,finding,RT_PCR_positive,survival,intubated,intubation_present,went_icu,in_icu,needed_supplemental_O2,extubated,temperature,pO2_saturation,leukocyte_count,neutrophil_count,lymphocyte_count,view,modality,date,location,folder,filename,doi,url,license,clinical_notes,other_notes,\n"
NOTES = '"A note, with a comma and ""quotes"",\nin two lines",,'


def line(
    patient: str, finding: str, view: str, file: str, kind: str = "X-ray", folder: str = "images"
) -> str:
    return (
        f'{patient},0,M,65.0,{finding},Y,Y,N,N,N,N,Y,,,,,,,{view},{kind},"January 22, 2020",'
        f'"Hospital, City, Country",{folder},{file},10.1000/x,https://example.org,CC BY-NC-SA,{NOTES}\n'
    )


TABLE = HEADER + "".join(
    (
        line("902", "Pneumonia/Viral/COVID-19", "PA", "000001-1.jpg"),
        line("902", "Pneumonia/Viral/Herpes ", "AP Supine", "000001-1.png"),
        line("0a1b", "todo", "AP erect", "a-slash-b@2x%20c.jpeg"),
        line("904", "Unknown", "AP semi erect", "d.JPG"),
        line("905", "Tuberculosis", "L", "e-L.png"),
        line("906", "Tuberculosis", "", "f.png"),
        line("907", "Tuberculosis", "Axial", "g.png", "CT"),
        line("908", "Tuberculosis", "Axial", "h.nii.gz", "CT", "volumes"),
    )
)
NAMES = ("000001-1.jpg", "000001-1.png", "a-slash-b@2x%20c.jpeg", "d.JPG")
IMAGES = [f"images/{name}" for name in (*NAMES, "e-L.png", "f.png", "g.png")]


@pytest.mark.parametrize("folder", ["covid-chestxray-dataset", "covid-chestxray-dataset-master"])
def test_the_repository(tmp_path, folder) -> None:
    mask = "annotations/lungVAE-masks/000001-1_mask.png"
    tables = {"metadata.csv": TABLE, "volumes/DOWNLOAD.md": "a torrent"}
    plant(tmp_path / folder, tables, [*IMAGES, mask])
    source = open_known("covid-chestxray", tmp_path)
    found = source.survey()
    rows = rows_of(found)
    assert tuple(rows) == NAMES
    assert rows[NAMES[0]] == {
        "image_id": NAMES[0],
        "uri": IMAGES[0],
        "patient_id": "902",
        "view": "PA",
        "sex": "M",
        "age": 65.0,
        "findings": ["Pneumonia", "Viral", "COVID-19"],
    }
    assert rows[NAMES[1]]["findings"] == ["Pneumonia", "Viral", "Herpes"]
    assert not any("findings" in rows[name] for name in NAMES[2:])
    assert [row["view"] for row in rows.values()] == ["PA", "AP", "AP", "AP"]
    excluded = found.listing.excluded
    reasons = ("not_frontal:LATERAL", "view_unknown", "computed_tomography")
    assert [excluded[reason] for reason in reasons] == [1, 1, 1]
    assert excluded["in_table_but_not_on_disk"] == 1
    assert found.complaints == ()
    assert decode(source.read(items_of(found)[0], 1 << 20)).pixels.shape == (24, 20)
