"""The Indiana University images in a miniature of their layouts; reports are invented."""

import pytest
from miniature_corpus import items_of, open_known, plant, rows_of

from dfsynth.decode import decode
from dfsynth.errors import UsageError


def report(number: int, *major: str) -> str:
    terms = "".join(f"      <major>{term}</major>\n" for term in major)
    return f"""<?xml version="1.0" encoding="utf-8"?>
<eCitation>
   <uId id="CXR{number}"/>
   <ccLicense>byncnd</ccLicense>
   <MedlineCitation><Article><Abstract>
      <AbstractText Label="FINDINGS">The heart is enlarged. XXXX lungs are clear.</AbstractText>
   </Abstract></Article></MedlineCitation>
   <MeSH>
{terms}      <automatic>cardiomegaly</automatic>
   </MeSH>
   <parentImage id="CXR{number}_IM-2263-1001"><figureId>F1</figureId></parentImage>
</eCitation>
"""


REPORTS = {
    "9001.xml": report(9001, "Cardiomegaly/mild", "Calcified Granuloma/lung/upper lobe/right\t"),
    "9002.xml": report(9002, "normal"),
    "9003.xml": report(9003, "No Indexing"),
}
VIEWS = """
    uid,filename,projection
    9001,9001_IM-2263-1001.dcm.png,Frontal
    9001,9001_IM-2263-2001.dcm.png,Lateral
    9002,9002_IM-0001-3001.dcm.png,Lateral
    9002,9002_IM-0001-4001.dcm.png,Frontal
    9003,9003_IM-0652-1001-0001.dcm.png,Frontal
"""
FRONTAL = ["CXR9001_IM-2263-1001", "CXR9002_IM-0001-4001", "CXR9003_IM-0652-1001-0001"]
OFFICIAL = [
    "CXR9001_IM-2263-1001",
    "CXR9001_IM-2263-2001",
    "CXR9002_9002_IM-0001-3001",
    "CXR9002_9002_IM-0001-4001",
    "CXR9003_IM-0652-1001-0001",
]
SHORT = [name.split("_IM-")[1] for name in OFFICIAL]
NUMBERS = [9001, 9001, 9002, 9002, 9003]
PNG = [f"NLMCXR_png/{name}.png" for name in OFFICIAL]
LOOSE = [f"{name}.png" for name in OFFICIAL]
DICOM = [f"NLMCXR_dcm/{n}/{n}_IM-{name}.dcm" for n, name in zip(NUMBERS, SHORT, strict=True)]
KAGGLE = [
    f"images/images_normalized/{n}_IM-{name}.dcm.png"
    for n, name in zip(NUMBERS, SHORT, strict=True)
]


@pytest.mark.parametrize("images", [PNG, LOOSE, DICOM, KAGGLE])
@pytest.mark.parametrize("folder", ["ecgen-radiology", "NLMCXR_reports/ecgen-radiology"])
def test_every_form_of_the_release(tmp_path, images, folder) -> None:
    tables = {f"{folder}/{name}": text for name, text in REPORTS.items()}
    root = plant(tmp_path, {**tables, "indiana_projections.csv": VIEWS}, images)
    source = open_known("open-i", root)
    found = source.survey()
    rows = rows_of(found)
    assert list(rows) == FRONTAL
    assert rows[FRONTAL[0]] == {
        "image_id": FRONTAL[0],
        "uri": images[0],
        "patient_id": "CXR9001",
        "view": "FRONTAL",
        "findings": ["Cardiomegaly/mild", "Calcified Granuloma/lung/upper lobe/right"],
    }
    assert rows[FRONTAL[1]]["findings"] == ["normal"]
    assert "findings" not in rows[FRONTAL[2]]
    assert found.listing.excluded["not_frontal:LATERAL"] == 2
    assert found.complaints == ()
    assert decode(source.read(items_of(found)[0], 1 << 20)).pixels.shape == (24, 20)


def test_of_several_forms_one_is_taken(tmp_path) -> None:
    root = plant(tmp_path, {"indiana_projections.csv": VIEWS}, [*KAGGLE, *PNG, DICOM[0]])
    rows = rows_of(open_known("open-i", root).survey())
    assert [row["uri"] for row in rows.values()] == [DICOM[0], PNG[3], PNG[4]]


def test_without_views_only_all_images_can_be_asked_for(tmp_path) -> None:
    root = plant(tmp_path, {"ecgen-radiology/9002.xml": REPORTS["9002.xml"]}, PNG)
    with pytest.raises(UsageError, match=r"5 × view_unknown; .* or give --views all"):
        open_known("open-i", root).survey()
    rows = rows_of(open_known("open-i", root, frontal_only=False).survey())
    assert len(rows) == 5
    assert rows["CXR9002_IM-0001-3001"]["findings"] == ["normal"]
