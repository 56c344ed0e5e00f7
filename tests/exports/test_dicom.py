"""DICOM exports: valid, without identity, the same for the same store, and read by other tools."""

import shutil
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK
from radiograph_files import write_folder, write_image
from toy_generator import ToyMaker

import dfsynth
from dfsynth.errors import UsageError
from dfsynth.exports.dicom import KINDS
from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store.opened import open_store

VALIDATOR = shutil.which("dciodvfy")
DUMP = shutil.which("dcmdump")
CONVERT = shutil.which("dcm2img") or shutil.which("dcm2pnm")


def build(folder: Path, source: Path, size: tuple[int, int] | None = None) -> Path:
    options = BuildOptions(source=str(source), out=folder / "x.zarr", shard_size=2, size=size)
    run_build(options, ToyMaker(), Silent())
    return folder / "x.zarr"


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """Radiographs, one of which is a DICOM file that says who was imaged, and its pitch."""
    folder = write_folder(tmp_path_factory.mktemp("source") / "radiographs", 2)
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = pydicom.uid.ComputedRadiographyImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.UID("1.2.3.4.5.6.7.8.9")
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.PatientName, dataset.PatientID = "Doe^Jane", "MRN-0815"
    dataset.Rows, dataset.Columns, dataset.PixelSpacing = 40, 30, [0.2, 0.2]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.PixelData = (np.arange(1200, dtype=np.uint16) % 997).tobytes()
    dataset.save_as(folder / "with-pitch.dcm", enforce_file_format=True)
    return folder


@pytest.fixture(scope="module")
def store(source, tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("store"), source)


@pytest.fixture(scope="module")
def out(store, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "out"
    dfsynth.export(store, folder, to="dicom")
    return folder


def files(out: Path) -> list[Path]:
    found = sorted(out.rglob("*.dcm"))
    assert len(found) == 3 * 3 * len(KINDS)
    return found


@pytest.mark.skipif(VALIDATOR is None, reason="dciodvfy is not installed")
def test_the_validator_finds_no_error(out):
    for path in files(out):
        done = subprocess.run(
            [str(VALIDATOR), str(path)], capture_output=True, text=True, check=False
        )
        assert "Error" not in done.stderr + done.stdout, (path, done.stderr)
        assert ("ParametricMap" if "values" in path.name else "SCImage") in done.stderr


@pytest.mark.skipif(DUMP is None or CONVERT is None, reason="dcmtk is not installed")
def test_dcmtk_reads_them(out, tmp_path):
    for path in files(out):
        subprocess.run([str(DUMP), str(path)], check=True, capture_output=True)
        if "values" not in path.name:
            picture = tmp_path / f"{path.stem}.png"
            subprocess.run(
                [str(CONVERT), "--write-png", str(path), str(picture)],
                check=True,
                capture_output=True,
            )
            assert picture.stat().st_size > 0


def test_simpleitk_reads_values_and_pitch(store, out):
    opened = open_store(store)
    lines = opened.manifest.to_pylist()
    assert [line["pixel_mm"] for line in lines].count(None) == 2
    for line in lines:
        (folder,) = (out / "studies").glob(f"{line['row']:07d}-*")
        for name in opened.maps:
            path = folder / f"{name}-rescaled.dcm"
            image = SimpleITK.ReadImage(str(path))
            slope = float(pydicom.dcmread(path).RescaleSlope)
            values = SimpleITK.GetArrayFromImage(image)[0]
            assert np.abs(values - opened.read(name, line["row"])).max() <= 0.51 * slope
            if line["pixel_mm"] is not None:
                expected = line["pixel_mm"] / line["scale_x"], line["pixel_mm"] / line["scale_y"]
                np.testing.assert_allclose(image.GetSpacing()[:2], expected, rtol=1e-6)


def test_the_parametric_map_holds_the_values_themselves_with_their_unit(store, out):
    opened = open_store(store)
    (folder,) = (out / "studies").glob("0000001-*")
    for name in opened.maps:
        dataset = pydicom.dcmread(folder / f"{name}-values.dcm")
        np.testing.assert_array_equal(dataset.pixel_array, opened.read(name, 1))
        (mapping,) = dataset.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence
        (unit,) = mapping.MeasurementUnitsCodeSequence
        assert (unit.CodeValue, unit.CodingSchemeDesignator) == ("1", "UCUM")
        assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1, 0)


def test_no_file_says_who_was_imaged(store, out):
    lines = open_store(store).manifest.to_pylist()
    secrets = {b"Doe", b"Jane", b"MRN-0815", b"1.2.3.4.5.6.7.8.9"}
    secrets |= {str(line[name]).encode() for line in lines for name in ("image_id", "uri")}
    secrets |= {line["source_sha256"].encode() for line in lines}
    for path in files(out):
        content = path.read_bytes()
        assert not [secret for secret in secrets if secret in content]


def test_identifiers_are_of_the_image_alone_and_unlike(out):
    datasets = [pydicom.dcmread(path) for path in files(out)]
    instances = Counter(dataset.SOPInstanceUID for dataset in datasets)
    assert set(instances.values()) == {1}
    assert set(Counter(dataset.SeriesInstanceUID for dataset in datasets).values()) == {1}
    studies = Counter((dataset.StudyInstanceUID, dataset.PatientID) for dataset in datasets)
    assert set(studies.values()) == {3 * len(KINDS)}
    for dataset in datasets:
        assert dataset.SOPInstanceUID == dataset.file_meta.MediaStorageSOPInstanceUID
        assert dataset.SOPInstanceUID.is_valid
        (source,) = dataset.SourceImageSequence
        assert source.ReferencedSOPInstanceUID not in instances
        assert b"PLACEHOLDER" not in dataset.PatientID.encode()


def test_the_same_store_built_again_gives_the_same_files(source, out, tmp_path):
    again = build(tmp_path, source)
    dfsynth.export(again, tmp_path / "out", to="dicom")
    for path in files(out):
        assert (tmp_path / "out" / path.relative_to(out)).read_bytes() == path.read_bytes()


def test_a_missing_library_is_named_with_its_extra(store, tmp_path, monkeypatch):
    import builtins
    import sys

    real = builtins.__import__

    def without(name, *arguments, **named):
        if name.split(".")[0] == "highdicom":
            raise ModuleNotFoundError("No module named 'highdicom'", name="highdicom")
        return real(name, *arguments, **named)

    monkeypatch.delitem(sys.modules, "dfsynth.exports.dicom_template", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"--to dicom needs .* highdicom.*dfsynth\[dicom\]"):
        dfsynth.export(store, tmp_path / "out", to="dicom")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("size", [(31, 77), (17, 17)])
def test_an_odd_number_of_bytes_is_padded(size, tmp_path):
    write_image(tmp_path / "source" / "odd.png", 1, *size)
    store = build(tmp_path, tmp_path / "source", size)
    dfsynth.export(store, tmp_path / "out", to="dicom")
    opened = open_store(store)
    for name in opened.maps:
        (folder,) = (tmp_path / "out" / "studies").iterdir()
        look, rescaled, values = (pydicom.dcmread(folder / f"{name}-{kind}.dcm") for kind in KINDS)
        expected = opened.read(name, 0)
        assert look.pixel_array.shape[:2] == expected.shape
        assert len(look.PixelData) % 2 == 0
        np.testing.assert_array_equal(values.pixel_array, expected)
        slope = float(rescaled.RescaleSlope)
        again = rescaled.pixel_array * slope + float(rescaled.RescaleIntercept)
        assert np.abs(again - expected).max() <= 0.51 * slope
