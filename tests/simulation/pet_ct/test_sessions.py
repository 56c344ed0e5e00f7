"""Sessions by names and by a table."""

from pathlib import Path

import numpy as np
import pytest
from ct_volumes import write_series

from dfsynth.errors import UsageError
from dfsynth.simulation.pet_ct.sessions import Session, list_sessions


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def names_of(session: Session) -> tuple[str, str | None, bool]:
    return session.ct.key, session.pet.key if session.pet else None, session.corrected


def test_names_say_what_belongs_together(tmp_path: Path) -> None:
    touch(tmp_path, "a_ct.nii.gz", "a_pet.nii.gz", "b/v1.2_CT.nii", "b/v1.2_PET.nrrd")
    touch(tmp_path, "c_ct.nii.gz", "c_pet.nii.gz", "c_petnac.nii.gz", "d.mha", "e_pet.nii")
    found = list_sessions(tmp_path)
    assert [names_of(session) for session in found.sessions] == [
        ("a_ct.nii.gz", "a_pet.nii.gz", True),
        ("b/v1.2_CT.nii", "b/v1.2_PET.nrrd", True),
        ("c_ct.nii.gz", "c_petnac.nii.gz", False),
        ("d.mha", None, True),
    ]
    assert {path for path, _ in found.excluded} == {"c_pet.nii.gz", "e_pet.nii"}
    assert found.sessions[0].ct.patient == "a_ct.nii.gz"


def test_a_table_says_it_with_patients_and_licenses(tmp_path: Path) -> None:
    touch(tmp_path, "1.nii", "2.nii", "3.nii", "4.nii", "5.nii")
    (tmp_path / "labels.csv").write_text(
        "split,patient,ct,pet,petnac,license\n"
        "dev,p1,1.nii,2.nii,,CC BY 4.0\n"
        "dev,p1,3.nii,,4.nii,\n",
        encoding="utf-8",
    )
    first, second = list_sessions(tmp_path).sessions
    assert names_of(first) == ("1.nii", "2.nii", True)
    assert names_of(second) == ("3.nii", "4.nii", False)
    assert (first.ct.patient, first.ct.license) == ("p1", "CC BY 4.0")
    assert (second.ct.patient, second.ct.license) == ("p1", "unknown")
    assert list_sessions(tmp_path).excluded == (("5.nii", "not in labels.csv"),)


def test_a_session_without_a_patient_in_the_table_stays_with_those_of_its_series(
    tmp_path: Path,
) -> None:
    for folder in ("a", "b"):
        write_series(tmp_path / folder, np.zeros((3, 8, 8), np.int16), PatientID="P1")
    (tmp_path / "labels.csv").write_text("ct,patient\na,\nb,who\n", encoding="utf-8")
    assert [session.ct.patient for session in list_sessions(tmp_path).sessions] == ["who", "who"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("gone.nii,2.nii", "line 2: it names 'gone.nii'"),
        (",2.nii", "line 2: it names no CT"),
        ("1.nii,2.nii\n1.nii,", "line 3: it names the CT '1.nii', as line 2 does"),
    ],
)
def test_a_table_that_cannot_be(tmp_path: Path, line: str, expected: str) -> None:
    touch(tmp_path, "1.nii", "2.nii")
    (tmp_path / "labels.csv").write_text(f"ct,pet\n{line}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=expected):
        list_sessions(tmp_path)


def test_a_table_of_other_columns_leaves_names_to_speak(tmp_path: Path) -> None:
    touch(tmp_path, "a_ct.nii", "a_pet.nii")
    (tmp_path / "labels.csv").write_text("file,note\na_ct.nii,x\n", encoding="utf-8")
    assert names_of(list_sessions(tmp_path).sessions[0]) == ("a_ct.nii", "a_pet.nii", True)
