"""The Hannover repository in a miniature of its layout; the rows are invented."""

import pytest
from miniature_corpus import items_of, open_known, plant, rows_of

from dfsynth.decode import decode

TABLE = """
    patient_id,image_id,sex,age,size,weight,admission_offset,icu_admission_offset,icu_release_offset,death_offset,modality,projection,crp_offset,crp_val,d-dimer_offset,d-dimer_val,factor_xii_offset,factor_xii_val,ldh_offset,ldh_val,lymphocytes_offset,lymphocytes_val,neutrophils_offset,neutrophils_val,pco2_offset,pco2_val,po2_offset,po2_val
    0abc12de,0e123456,m,,,,0,0.0,4.0,,CR,ap,0.0,5.0,,,0.0,145.0,,,,,,,0.0,45.0,0.0,55.0
    0abc12de,00870001,m,,,,-5,-5.0,-1.0,,DX,pa,0.0,-inf,,,,,,,,,,,-1.0,35.0,-1.0,105.0
    12345678,99999999,f,,,,10,,,,CR,ap,,,,,,,,,,,,,,,,
"""
IMAGES = ["png/0e123456.png", "png/00870001.png"]


@pytest.mark.parametrize("given", ["own", "holder"])
def test_ids_that_look_like_numbers(tmp_path, given) -> None:
    root = plant(tmp_path / "covid-19-image-repository", {"data.csv": TABLE}, IMAGES)
    plant(root, {"nii/readme.md": "see the site"}, [])
    source = open_known("hannover", root if given == "own" else tmp_path)
    found = source.survey()
    assert rows_of(found) == {
        "00870001": {
            "image_id": "00870001",
            "uri": "png/00870001.png",
            "patient_id": "0abc12de",
            "view": "PA",
            "sex": "M",
        },
        "0e123456": {
            "image_id": "0e123456",
            "uri": "png/0e123456.png",
            "patient_id": "0abc12de",
            "view": "AP",
            "sex": "M",
        },
    }
    assert found.complaints == ()
    assert found.listing.excluded["in_table_but_not_on_disk"] == 1
    assert decode(source.read(items_of(found)[0], 1 << 20)).pixels.shape == (24, 20)
