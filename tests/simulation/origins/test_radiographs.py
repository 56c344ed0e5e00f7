"""Pairs of the origin `cxr`, as the job asks for them."""

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid
from segmented_chest import SIDE, dome

from dfsynth.lung_segmentation.network import LungPrediction
from dfsynth.options import SimulateOptions
from dfsynth.records import Float32Map
from dfsynth.simulation import Simulator
from dfsynth.simulation.origins.origin import SubjectListing
from dfsynth.simulation.origins.radiographs import RadiographOrigin
from dfsynth.simulation.sampling import SamplingOptions

OPTIONS = SimulateOptions(out=Path("pairs.zarr"), n=4, size=SIDE, device="cpu")
LUNGS = dome(60, 34, 45, 22) + dome(60, 94, 45, 22)
CHEST = np.round(255 * (0.75 - 0.5 * LUNGS)).astype(np.uint8)


@pytest.fixture(autouse=True)
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """A segmenter that knows one chest; for each image that it saw whether it was that one."""
    seen: list[bool] = []

    def read(image: Float32Map) -> LungPrediction:
        seen.append(np.corrcoef(image.ravel(), CHEST.ravel())[0, 1] > 0.9)
        lungs = LUNGS * np.float32(seen[-1])
        return LungPrediction((lungs > 0).astype(np.float32), lungs, 150 * lungs)

    monkeypatch.setattr(
        "dfsynth.simulation.origins.radiograph_library.load_lung_network", lambda _: (read, None)
    )
    return seen


def list_subjects(place: Path, count: int = 4) -> SubjectListing:
    return RadiographOrigin(SamplingOptions.of(OPTIONS), place).list_subjects(count)


def write_chest(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), CHEST)


def write_dicom(path: Path, **facts: str) -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data = pydicom.Dataset()
    data.file_meta = meta
    data.SOPClassUID, data.SOPInstanceUID = meta[0x00020002].value, meta[0x00020003].value
    data.Modality, data.PhotometricInterpretation = "DX", "MONOCHROME2"
    (data.Rows, data.Columns), data.SamplesPerPixel = CHEST.shape, 1
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.PixelData = CHEST.tobytes()
    for tag, value in facts.items():
        setattr(data, tag, value)
    data.save_as(path, enforce_file_format=True)


def patients(found: SubjectListing) -> dict[str | None, str]:
    return {line.source: line.patient_id for line in found.lines}


def test_each_radiograph_has_the_licence_of_the_folders_table(tmp_path: Path) -> None:
    for name in ("a.png", "sub/b.png", "c.png"):
        write_chest(tmp_path / name)
    assert {line.license for line in list_subjects(tmp_path).lines} == {"unknown"}
    (tmp_path / "licenses.csv").write_text("file,license\na.png,CC0\nsub/b.png,CC BY 4.0\n")
    licences = {line.source: line.license for line in list_subjects(tmp_path).lines}
    assert licences == {"a.png": "CC0", "sub/b.png": "CC BY 4.0", "c.png": "unknown"}


def test_what_cannot_be_used_is_named_and_the_others_take_its_place(tmp_path: Path) -> None:
    write_chest(tmp_path / "e.png")
    (tmp_path / "a.png").write_bytes(b"no image")
    (tmp_path / "b.png").write_bytes((tmp_path / "e.png").read_bytes()[:-40])
    cv2.imwrite(str(tmp_path / "c.png"), CHEST[:, ::-1].T)
    found = list_subjects(tmp_path, 5)
    assert [line.source for line in found.lines] == ["e.png"] * 5
    assert found.excluded == {"not_an_image": 1, "truncated": 1, "not_a_chest": 1}
    warnings = "\n".join(found.warnings)
    for name in ("a.png", "b.png", "c.png"):
        assert f"--cxr: {name}: " in warnings
    assert str(tmp_path) not in warnings


def test_a_long_list_of_refused_files_is_cut_short(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number}.png").write_bytes(b"no image")
    found = list_subjects(tmp_path)
    assert found.lines == []
    assert found.excluded == {"not_an_image": 30}
    assert len(found.warnings) == 21
    assert "10 more" in found.warnings[-1]


def test_no_more_are_opened_than_are_needed(tmp_path: Path, looked_at: list[bool]) -> None:
    for number in range(60):
        write_chest(tmp_path / f"{number:02}.png")
    few = list_subjects(tmp_path, 3)
    assert len(looked_at) < 30
    assert few.lines == list_subjects(tmp_path, 60).lines[:3]


@pytest.mark.parametrize("view", ["LL", "RL", "LATERAL", "ll "])
def test_radiographs_from_the_side_are_refused_before_they_are_read(
    tmp_path: Path, looked_at: list[bool], view: str
) -> None:
    write_dicom(tmp_path / "front.dcm", ViewPosition="PA")
    write_dicom(tmp_path / "side.dcm", ViewPosition=view)
    found = list_subjects(tmp_path)
    assert {line.source for line in found.lines} == {"front.dcm"}
    assert found.excluded == {"not_a_chest": 1}
    assert any(f"side.dcm: its view is {view.strip().upper()};" in w for w in found.warnings)
    assert len(looked_at) == 1


def test_a_table_tells_views_and_patients(tmp_path: Path) -> None:
    for name in "abcd":
        write_chest(tmp_path / f"{name}.png")
    (tmp_path / "labels.csv").write_text(
        "file,patient_id,view\na.png,p1,PA\nb.png,p1,AP\nc.png,p2,LATERAL\nd.png,p3,\n"
    )
    found = list_subjects(tmp_path / "labels.csv")
    assert patients(found) == {"a.png": "cxr:p1", "b.png": "cxr:p1", "d.png": "cxr:p3"}
    assert [w for w in found.warnings if "c.png: its view is LATERAL" in w] == list(found.warnings)


def test_headers_of_one_patient_make_one_and_never_tell_who(tmp_path: Path) -> None:
    for name, patient in (("a", "4711-0815"), ("b", "4712"), ("c", "4711-0815")):
        write_dicom(tmp_path / f"{name}.dcm", PatientID=patient)
    found = list_subjects(tmp_path)
    assert patients(found) == {"a.dcm": "cxr:a.dcm", "b.dcm": "cxr:b.dcm", "c.dcm": "cxr:a.dcm"}
    assert "471" not in repr(found)
    assert found.warnings == ()


def test_a_warning_says_once_that_patients_are_unknown(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        write_chest(tmp_path / name)
    (warning,) = list_subjects(tmp_path).warnings
    assert "2 of 2 radiographs" in warning
    assert "a patient of its own" in warning


def test_mixed_pairs_warn_of_options_that_radiographs_ignore(tmp_path: Path) -> None:
    write_dicom(tmp_path / "a.dcm", PatientID="1")
    asked: dict[str, Any] = {
        "n": 2,
        "size": SIDE,
        "origin": "mixed",
        "cxr": tmp_path,
        "device": "cpu",
    }
    plain = SimulateOptions(out=Path("p.zarr"), **asked)
    assert Simulator(plain).subjects(2).warnings == ()
    options = SimulateOptions(
        out=Path("p.zarr"), **asked, implants=0.5, without=("display", "blur")
    )
    (warning,) = Simulator(options).subjects(2).warnings
    assert "--implants 0.5 and --without display" in warning


def test_a_replaced_radiograph_is_another_fingerprint(tmp_path: Path) -> None:
    write_chest(tmp_path / "a.png")
    before = RadiographOrigin(SamplingOptions.of(OPTIONS), tmp_path).fingerprint()
    changed = (tmp_path / "a.png").stat().st_mtime_ns + 10**9
    os.utime(tmp_path / "a.png", ns=(changed, changed))
    assert RadiographOrigin(SamplingOptions.of(OPTIONS), tmp_path).fingerprint() != before
