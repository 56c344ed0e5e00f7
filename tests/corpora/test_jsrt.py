"""The JSRT database in a miniature of its layouts; the rows are invented."""

import numpy as np
import pytest
from miniature_corpus import items_of, open_known, plant, rows_of

from dfsynth.decode import DecodeLimits
from dfsynth.jobs.model_inputs import reader_of
from dfsynth.records import IntensityWindow

NODULES = (
    "JPCLN201.IMG\t5\t15\t53\tmale\t1600\t700\tmalignant\tl.upper lobe\tlung cancer\r"
    "JPCLN202.IMG\t2\t18\t?\tfemale\t250\t1200\tbenign\tr.lower lobe\t(S9)\tgranuloma\r\r"
)
NONE = "JPCNN201.IMG  30  female   non-nodule\r\n"
IMAGES = ["JPCLN201.IMG", "JPCLN202.IMG", "JPCNN201.IMG"]


@pytest.mark.parametrize("folder", ["All247images/", "All247images/All247images/", ""])
@pytest.mark.parametrize("suffix", [".TXT", ".txt"])
def test_tables_without_headers(tmp_path, folder, suffix) -> None:
    tables = {
        "Clinical_Information/CLNDAT_EN.txt": NODULES.encode(),
        f"Clinical_Information/CNNDAT_EN{suffix}": NONE.encode(),
    }
    root = plant(tmp_path, tables, [folder + name for name in IMAGES])
    found = open_known("jsrt", root).survey()
    common = {"view": "PA", "pixel_mm": pytest.approx(0.175)}
    assert rows_of(found) == {
        "JPCLN201": {
            "image_id": "JPCLN201",
            "uri": f"{folder}JPCLN201.IMG",
            "patient_id": "JPCLN201",
            "sex": "M",
            "age": 53.0,
            "findings": ["Malignant nodule"],
            **common,
        },
        "JPCLN202": {
            "image_id": "JPCLN202",
            "uri": f"{folder}JPCLN202.IMG",
            "patient_id": "JPCLN202",
            "sex": "F",
            "findings": ["Benign nodule"],
            **common,
        },
        "JPCNN201": {
            "image_id": "JPCNN201",
            "uri": f"{folder}JPCNN201.IMG",
            "patient_id": "JPCNN201",
            "sex": "F",
            "age": 30.0,
            "findings": ["No nodule"],
            **common,
        },
    }
    assert found.complaints == ()


@pytest.mark.parametrize("name", ["Nodule154images/JPCLN201.IMG", "Nodule154images/JPCLN201.dcm"])
def test_bare_pixels_and_dicom_are_read(tmp_path, name) -> None:
    tables = {"Clinical_Information/CLNDAT_EN.txt": NODULES.encode()}
    source = open_known("jsrt", plant(tmp_path, tables, [name]))
    item = items_of(source.survey())[0]
    reader = reader_of(source, (32, 32), IntensityWindow(), DecodeLimits())
    facts, ready = reader(source.read(item, 1 << 24), None, item.pixel_mm)
    assert facts.pixel_mm == pytest.approx(0.175)
    assert np.ptp(ready.image) > 0.9
    if name.endswith(".IMG"):
        expected = (2048, 2048, 12, "MONOCHROME1")
        assert (facts.width, facts.height, facts.bits, facts.photometric) == expected
