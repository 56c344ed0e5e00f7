"""A table beside volumes says whose they are."""

from pathlib import Path

import numpy as np
import pytest
from ct_volumes import write_series

from dfsynth.errors import UsageError
from dfsynth.simulation.volumes import CT, MR, list_volumes
from dfsynth.simulation.volumes.labels import LABELS, read_label_licenses, read_people


@pytest.mark.parametrize("column", ["patient_id", "person", "subject"])
def test_people_come_from_any_of_the_columns(tmp_path: Path, column: str) -> None:
    table = tmp_path / LABELS
    table.write_text(f"file,shape,{column}\na.nii,1x1, p1 \nb.nii,,\n")
    assert read_people(table) == {"a.nii": "p1"}
    assert read_label_licenses(table) == {}


def test_volumes_of_one_person_share_a_patient_and_the_table_is_no_volume(tmp_path: Path) -> None:
    for name in ("a.nii", "b.nii", "c.nii"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / LABELS).write_text("file,person,license\na.nii,p,CC0\nb.nii,p,CC BY 4.0\n")
    plain = list_volumes(tmp_path, MR)
    assert plain.excluded == ((LABELS, "no MR volume by its name"),)
    found = list_volumes(tmp_path, MR, LABELS)
    assert found.excluded == ()
    assert [c.patient for c in found.candidates] == ["p", "p", "c.nii"]
    assert [c.license for c in found.candidates] == ["CC0", "CC BY 4.0", "unknown"]


@pytest.mark.parametrize("named", ["a", "b"])
def test_a_series_that_the_table_leaves_out_stays_with_its_patient(
    tmp_path: Path, named: str
) -> None:
    values = np.zeros((3, 8, 8), np.int16)
    for folder, patient in (("a", "P1"), ("b", "P1"), ("c", "P2")):
        write_series(tmp_path / folder, values, PatientID=patient)
    (tmp_path / LABELS).write_text(f"file,person\n{named},who\n")
    found = list_volumes(tmp_path, CT, LABELS)
    assert [c.patient for c in found.candidates] == ["who", "who", "c"]


@pytest.mark.parametrize("text", ["name,person\n", "file,who\n", ""])
def test_a_table_without_the_columns_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / LABELS).write_text(text)
    with pytest.raises(UsageError, match="expected file and one of patient_id, person, subject"):
        read_people(tmp_path / LABELS)


def test_a_table_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / LABELS).write_bytes(b"\xff\xfe\x00file")
    for read in (read_people, read_label_licenses):
        with pytest.raises(UsageError, match="no readable table of text"):
            read(tmp_path / LABELS)


def test_no_table_says_nothing(tmp_path: Path) -> None:
    assert read_people(tmp_path / LABELS) == read_label_licenses(tmp_path / LABELS) == {}


def test_names_in_the_table_that_no_volume_has_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.nii").write_bytes(b"")
    lines = "".join(f"x{n}.nii,p\n" for n in range(8))
    (tmp_path / LABELS).write_text(f"file,person\na.nii,p\n{lines}")
    told = dict(list_volumes(tmp_path, MR, LABELS).excluded)
    why = "labels.csv names it, but there is no such volume"
    assert told == {f"x{n}.nii": why for n in range(5)} | {
        "3 more": "labels.csv names them, but there are none"
    }
