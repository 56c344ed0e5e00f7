"""The Shenzhen set in a miniature of its layouts; texts and numbers are invented."""

import numpy as np
import pytest
from miniature_corpus import items_of, open_known, plant, rows_of
from PIL import Image

from dfsynth.decode import decode

TEXTS: dict[str, str | bytes] = {
    "CHNCXR_0001_0": "male 45yrs\nnormal\n",
    "CHNCXR_0002_0": "Female, 28yrs\r\n\r\nnormale",
    "CHNCXR_0003_0": "\nfemale24yrs\nnormal",
    "CHNCXR_0004_0": "femal 32yrs\n",
    "CHNCXR_0327_1": "male 16month\nright PTB with pleurisy\n",
    "CHNCXR_0328_1": "female 64days\nNATB",
    "CHNCXR_0329_1": "male 42\nbilateral PTB, male 99yrs",
    "CHNCXR_0330_1": "male , 30 yrs\nleft ATB \xe9".encode("latin-1"),
    "CHNCXR_0331_1": "",
}
SEXES = ["M", "F", "F", "F", "M", "F", "M", "M", None, None]
AGES = [45, 28, 24, 32, 16 / 12, 64 / 365.25, None, 30, None, None]
IMAGES = [f"CXR_png/{stem}.png" for stem in (*TEXTS, "CHNCXR_0332_1")]


def tables(folder: str = "") -> dict[str, str | bytes]:
    return {f"{folder}ClinicalReadings/{stem}.txt": text for stem, text in TEXTS.items()}


@pytest.mark.parametrize(
    ("folder", "given"),
    [
        ("ChinaSet_AllFiles", "ChinaSet_AllFiles"),
        ("ChinaSet_AllFiles", ""),
        ("ChinaSet_AllFiles/ChinaSet_AllFiles", ""),
        ("Shenzhen-Hospital-CXR-Set", ""),
    ],
)
def test_names_and_texts(tmp_path, folder, given) -> None:
    root = plant(tmp_path / folder, tables(), IMAGES)
    mask = "Annotations/masks/CHNCXR_0327_1_Calcified_Nodule_2.png"
    plant(root, {"CXR_png/Thumbs.db": "x"}, [mask])
    found = open_known("shenzhen", tmp_path / given).survey()
    rows = list(rows_of(found).values())
    assert [row.get("sex") for row in rows] == SEXES
    assert [row.get("age") for row in rows] == [a and pytest.approx(a) for a in AGES]
    assert rows[0] == {
        "image_id": "CHNCXR_0001_0",
        "uri": "CXR_png/CHNCXR_0001_0.png",
        "patient_id": "0001",
        "view": "FRONTAL",
        "sex": "M",
        "age": 45.0,
        "findings": ["Normal"],
    }
    assert rows[-1]["findings"] == ["Tuberculosis"]
    assert found.listing.excluded["outside_image_folders"] == 1
    assert found.complaints == ()


def test_a_palette_is_looked_up(tmp_path) -> None:
    name = "CXR_png/CHNCXR_0001_0.png"
    source = open_known("shenzhen", plant(tmp_path, tables(), [name]))
    grey = np.asarray(Image.open(tmp_path / name))
    turned = Image.fromarray(255 - grey, "P")
    turned.putpalette([255 - level for level in range(256) for _ in range(3)])
    turned.save(tmp_path / name)
    decoded = decode(source.read(items_of(source.survey())[0], 1 << 20))
    assert np.array_equal(decoded.pixels, grey)
