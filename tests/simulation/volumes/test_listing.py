"""What a folder of CT volumes holds, told by names and headers."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from ct_volumes import image_of, write_series
from dicom_slices import dicom_slice
from pydicom.uid import DeflatedExplicitVRLittleEndian
from traced_memory import peak_bytes

from dfsynth.errors import UsageError
from dfsynth.simulation.volumes import VolumeFormat, VolumeListing, list_volumes

SMALL = np.zeros((4, 8, 8), np.int16)


def test_each_format_is_found_by_its_name(tmp_path: Path) -> None:
    for name in ("a.nii", "b.nii.gz", "c.nrrd", "d.nhdr", "e.mha", "f.mhd", "sub/f.NII.GZ"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"not read yet")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / ".hidden.nii").write_bytes(b"")
    found = list_volumes(tmp_path)
    assert [c.key for c in found.candidates] == [
        "a.nii",
        "b.nii.gz",
        "c.nrrd",
        "d.nhdr",
        "e.mha",
        "f.mhd",
        "sub/f.NII.GZ",
    ]
    assert [c.format for c in found.candidates][1:4:2] == [VolumeFormat.NIFTI, VolumeFormat.NRRD]
    assert dict(found.excluded) == {
        ".hidden.nii": "hidden",
        "notes.txt": "no CT volume by its name",
    }


def test_each_series_of_a_folder_is_a_volume_of_its_own(tmp_path: Path) -> None:
    write_series(tmp_path / "patient", SMALL, SeriesNumber=3)
    write_series(tmp_path / "patient", SMALL, SeriesNumber=5)
    write_series(tmp_path / "other", SMALL)
    found = list_volumes(tmp_path)
    assert [c.key for c in found.candidates] == ["other", "patient#3", "patient#5"]
    assert all(len(c.files) == len(SMALL) for c in found.candidates)


def test_two_series_of_one_number_have_two_keys(tmp_path: Path) -> None:
    write_series(tmp_path / "p", SMALL, SeriesNumber=3)
    write_series(tmp_path / "p", SMALL, SeriesNumber=3)
    assert [c.key for c in list_volumes(tmp_path).candidates] == ["p#3", "p#3.2"]


def patients(root: Path) -> dict[str, str]:
    return {c.key: c.patient for c in list_volumes(root).candidates}


def test_series_of_one_patient_share_a_name_made_of_a_path(tmp_path: Path) -> None:
    write_series(tmp_path / "study1" / "lung", SMALL, PatientID="4711-0815")
    write_series(tmp_path / "study1" / "soft", SMALL, PatientID="4711-0815")
    write_series(tmp_path / "study2", SMALL, PatientID="4712")
    (tmp_path / "a.nii").write_bytes(b"")
    assert patients(tmp_path) == {
        "a.nii": "a.nii",
        "study1/lung": "study1/lung",
        "study1/soft": "study1/lung",
        "study2": "study2",
    }
    assert "4711" not in repr(list_volumes(tmp_path))


@pytest.mark.parametrize("tag", ["StudyInstanceUID", "FrameOfReferenceUID"])
def test_without_a_patient_the_study_or_the_scanners_space_tells_who_it_is(
    tmp_path: Path, tag: str
) -> None:
    uids = {"one": "1.2.3", "two": "1.2.3", "three": "1.2.4"}
    for name, uid in uids.items():
        write_series(tmp_path / name, SMALL, PatientID="", **{tag: uid})
    assert patients(tmp_path) == {"one": "one", "two": "one", "three": "three"}
    write_series(tmp_path / "silent", SMALL, PatientID="")
    assert patients(tmp_path)["silent"] == "silent"


def test_detached_data_belong_to_their_volume(tmp_path: Path) -> None:
    SimpleITK.WriteImage(image_of(SMALL), tmp_path / "a.nhdr")
    data = tmp_path / "a.raw.gz" if (tmp_path / "a.raw.gz").exists() else tmp_path / "a.raw"
    (tmp_path / "b.nhdr").write_bytes(b"NRRD0004\ndata file: ../../etc/passwd\n\n")
    found = list_volumes(tmp_path)
    assert [c.files for c in found.candidates] == [
        (tmp_path / "a.nhdr", data),
        (tmp_path / "b.nhdr",),
    ]
    assert found.excluded == ()


def test_slices_right_at_the_root_are_one_volume(tmp_path: Path) -> None:
    write_series(tmp_path, SMALL)
    assert [c.key for c in list_volumes(tmp_path).candidates] == ["."]


def test_localizers_and_captures_are_skipped_with_a_reason(tmp_path: Path) -> None:
    write_series(tmp_path / "ct", SMALL)
    write_series(tmp_path / "scout", SMALL[:1], ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    write_series(tmp_path / "capture", SMALL[:1], SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    write_series(tmp_path / "mr", SMALL[:1], Modality="MR")
    (tmp_path / "ct" / "cut.dcm").write_bytes(b"\0" * 128 + b"DICM\x02\x00")
    found = list_volumes(tmp_path)
    assert [c.key for c in found.candidates] == ["ct"]
    reasons = sorted(why for _, why in found.excluded)
    assert len(reasons) == 4
    assert any("localizer" in why for why in reasons)
    assert any("capture" in why for why in reasons)
    assert any("modality MR" in why for why in reasons)


def test_nothing_of_a_patients_identity_is_listed(tmp_path: Path) -> None:
    write_series(tmp_path / "x", SMALL)
    write_series(tmp_path / "y", SMALL[:1], Modality="MR")
    assert "secret" not in repr(list_volumes(tmp_path)).lower()


def test_licences_come_from_the_table(tmp_path: Path) -> None:
    SimpleITK.WriteImage(image_of(SMALL), tmp_path / "a.nii")
    SimpleITK.WriteImage(image_of(SMALL), tmp_path / "b.nii")
    write_series(tmp_path / "s", SMALL)
    (tmp_path / "licenses.csv").write_text("file,license\na.nii,CC BY 4.0\ns,CC0\n")
    licences = {c.key: c.license for c in list_volumes(tmp_path).candidates}
    assert licences == {"a.nii": "CC BY 4.0", "b.nii": "unknown", "s": "CC0"}


def test_a_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.nii").write_bytes(b"")
    (tmp_path / "licenses.csv").write_text("name,terms\na.nii,CC BY 4.0\n")
    with pytest.raises(UsageError, match="expected file and license"):
        list_volumes(tmp_path)


def test_a_folder_without_volumes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no CT volume"):
        list_volumes(tmp_path)
    with pytest.raises(UsageError, match="no folder"):
        list_volumes(tmp_path / "missing")


def deflated(folder: Path, name: str, padding_bytes: int) -> None:
    """One slice with zeros behind its pixels, deflated: 8 MB are some kB."""
    section = dicom_slice(np.zeros((8, 8), np.int16), 0.0, "1.2.3")
    section.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    section.add_new(0xFFFCFFFC, "OB", bytes(padding_bytes))
    folder.mkdir(exist_ok=True)
    section.save_as(folder / name, enforce_file_format=True)


def test_a_deflated_slice_is_not_expanded_without_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dfsynth.simulation.volumes.slices._MOST_SLICE_BYTES", 1_000_000)
    write_series(tmp_path / "s", SMALL)
    deflated(tmp_path / "small", "a.dcm", 1000)
    deflated(tmp_path / "large", "a.dcm", 8_000_000)
    assert (tmp_path / "large" / "a.dcm").stat().st_size < 20_000
    found: list[VolumeListing] = []
    assert peak_bytes(lambda: found.append(list_volumes(tmp_path))) < 5_000_000
    assert [c.key for c in found[0].candidates] == ["s", "small"]
    ((key, why),) = found[0].excluded
    assert key == "large/a.dcm"
    assert "inflates to more than 1000000 bytes" in why


def test_headers_that_no_reader_takes_apart_are_left_out(tmp_path: Path) -> None:
    write_series(tmp_path / "s", SMALL)
    (name, *_) = sorted((tmp_path / "s").iterdir())
    content = name.read_bytes()
    opened = b"\x08\0\x01\x10SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff"
    at = content.index(b"\x08\0\x16\0UI")
    (tmp_path / "nested.dcm").write_bytes(content[:at] + opened * 2000 + content[at:])
    (tmp_path / "unknown.dcm").write_bytes(content.replace(b"\x08\0\x60\0CS", b"\x08\0\x60\0ZZ"))
    found = list_volumes(tmp_path)
    assert [c.key for c in found.candidates] == ["s"]
    reasons = dict(found.excluded)
    assert reasons["nested.dcm"].startswith("not readable as DICOM")
    assert reasons.keys() == {"nested.dcm", "unknown.dcm"}
