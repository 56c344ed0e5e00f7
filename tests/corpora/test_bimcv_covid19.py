"""BIMCV-COVID19 in a miniature of its layouts; the rows are invented."""

import json

import pytest
from miniature_corpus import items_of, open_known, plant, rows_of

from dfsynth.decode import decode

SESSION = "sub-S90001/ses-E99991"
START = "sub-S90001_ses-E99991"
FRONTAL = f"{START}_run-1_bp-chest_vp-pa_cr"
LATERAL = f"{START}_acq-2_run-1_bp-chest_vp-ll_dx"
NAMELESS = f"{START}_run-2_bp-chest_cr"
WRONG = "sub-S03582_ses-E07281_run-1_bp-chest_vp-ap_cr"
PEOPLE = """
    participant\tmodality_dicom\tbody_parts\tage\tgender
    sub-S90001\t['CR', 'DX']\t[['chest']]\t[80]\tM
    sub-S03582\t['CR']\t[['chest']]\t[40, 41]\tNone
    derivatives\t\t\t\t
"""
LABELS = """
    \tPatientID\tReportID\tReport\tLabels\tLocalizations\tLabelsLocalizationsBySentence\tlabelCUIS\tLocalizationsCUIS
    0\tsub-S90001\tses-E99991\tsin hallazg .\t['COVID 19', 'ground glass pattern']\t[]\t[]\t['C5203670']\t[]
    1\tsub-S03582\tses-E07281\tx\t\t[]\t[]\t[]\t[]
"""
PITCH = {
    FRONTAL: {"00181164": {"vr": "DS", "Value": [0.2, 0.2]}, "00280030": {"Value": [0.143, 0.143]}},
    LATERAL: {"00181164": {"vr": "DS", "Value": ["0.2", "0.2"]}},
}


def half(name: str, labels: str) -> tuple[dict[str, str], list[str]]:
    """The tables and the images of one half, or of the first iteration."""
    tables = {
        f"{name}participants.tsv": PEOPLE,
        f"{name}derivatives/labels/{labels}": LABELS,
        f"{name}derivatives/partitions.tsv": f"0\t{START}\t./{SESSION}\n",
        f"{name}sub-S90001/{START[:10]}_sessions.tsv": "session_id\tstudy_date\n",
        **{
            f"{name}{SESSION}/mod-rx/{scan}.json": json.dumps(tags, indent=1)
            for scan, tags in PITCH.items()
        },
        f"{name}{SESSION}/mod-ct/{START}_run-1_bp-chest_ct.nii.gz": "x",
    }
    images = [f"{name}{SESSION}/mod-rx/{scan}.png" for scan in (FRONTAL, LATERAL, NAMELESS)]
    images.append(f"{name}sub-S03582/ses-E07281/mod-rx/{WRONG}.png")
    return tables, images


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("", "labels_covid19_posi.tsv"),
        ("covid19_posi/", "labels_covid_posi.tsv"),
        ("covid19_posi/", "Labels_covid_123.tsv"),
        ("covid19_neg/", "Labels_covid_NEG_JAN21.tsv"),
    ],
)
def test_the_iterations(tmp_path, name, labels) -> None:
    tables, images = half(name, labels)
    source = open_known("bimcv-covid19", plant(tmp_path, tables, images))
    found = source.survey()
    assert rows_of(found) == {
        FRONTAL: {
            "image_id": FRONTAL,
            "uri": images[0],
            "patient_id": "sub-S90001",
            "view": "PA",
            "sex": "M",
            "age": 80.0,
            "findings": ["COVID 19", "ground glass pattern"],
            "pixel_mm": pytest.approx(0.143),
        }
    }
    excluded = found.listing.excluded
    reasons = ("not_frontal:LATERAL", "view_unknown", "wrong_view")
    assert [excluded[reason] for reason in reasons] == [1, 1, 1]
    assert decode(source.read(items_of(found)[0], 1 << 20)).pixels.shape == (24, 20)


def test_half_a_corpus_is_a_root_as_well(tmp_path) -> None:
    tables, images = half("", "labels_covid_posi.tsv")
    root = plant(tmp_path / "covid19_posi", tables, images)
    for given in (root, tmp_path):
        found = open_known("bimcv-covid19", given, frontal_only=False).survey()
        rows = rows_of(found)
        assert list(rows) == sorted((FRONTAL, LATERAL, NAMELESS))
        assert rows[LATERAL]["pixel_mm"] == pytest.approx(0.2)
        assert "view" not in rows[NAMELESS]
        assert rows[NAMELESS]["findings"] == ["COVID 19", "ground glass pattern"]
