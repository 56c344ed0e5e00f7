"""Whole builds over hostile files and over files that hold a patient's identity."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid
from radiograph_files import write_folder
from toy_generator import ToyMaker

from dfsynth.jobs.build import run_build
from dfsynth.jobs.verify import verify_store
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store.opened import open_store

DECODE_DATA = Path(__file__).parents[1] / "data" / "decode"
SECRETS = ("Mustermann", "19700131", "4711-0815", "ACC99", "St. Elsewhere", "knows the mayor")


def run(source: Path, out: Path) -> list[dict[str, Any]]:
    options = BuildOptions(source=str(source), out=out, shard_size=16)
    run_build(options, ToyMaker(), Silent())
    return open_store(out).manifest.to_pylist()


def test_every_broken_file_is_read_or_becomes_one_row_with_its_code(tmp_path):
    with (DECODE_DATA / "broken_outcomes.csv").open(newline="") as table:
        expected = {line["file"]: line["outcome"] for line in csv.DictReader(table)}
    rows = run(DECODE_DATA / "broken", tmp_path / "x.zarr")
    found = {r["image_id"]: r["error_code"] or "ok" for r in rows}
    assert len(found) == sum(path.is_file() for path in (DECODE_DATA / "broken").rglob("*"))
    assert {name: expected[name] for name in found} == found
    assert verify_store(tmp_path / "x.zarr", False, Silent()).damage == ()


def write_identified_dicom(path: Path) -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data = pydicom.Dataset()
    data.file_meta = meta
    data.SOPClassUID = meta.MediaStorageSOPClassUID
    data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    data.PatientName, data.PatientBirthDate, data.PatientID, data.AccessionNumber = SECRETS[:4]
    data.InstitutionName, data.ImageComments = SECRETS[4:]
    data.Modality, data.PhotometricInterpretation = "DX", "MONOCHROME2"
    data.Rows, data.Columns, data.SamplesPerPixel = 20, 24, 1
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    pixels = np.random.default_rng(3).integers(0, 255, (20, 24), np.uint8)
    data.PixelData = pixels.tobytes()
    data.save_as(path, enforce_file_format=True)


def test_no_identity_of_a_header_reaches_the_store(tmp_path):
    source = write_folder(tmp_path / "radiographs", 1)
    write_identified_dicom(source / "good.dcm")
    cut = (source / "good.dcm").read_bytes()
    assert all(secret.encode() in cut for secret in SECRETS)
    (source / "cut.dcm").write_bytes(cut[:-100])
    rows = run(source, tmp_path / "x.zarr")
    assert {r["image_id"]: r["status"] for r in rows}["good.dcm"] == "ok"
    assert {r["image_id"]: r["error_code"] for r in rows}["cut.dcm"] == "truncated"
    text = repr(rows)
    for path in (tmp_path / "x.zarr").rglob("*"):
        if path.is_file():
            text += path.read_bytes().decode("latin-1")
    assert not [secret for secret in SECRETS if secret in text]


def test_what_a_corpus_table_says_reaches_the_manifest(tmp_path):
    folder = write_folder(tmp_path / "radiographs", 2)
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*.png"))
    (folder / "table.csv").write_text(
        "path,patient_id,view,sex,age,findings,split,width_mm,height_mm\n"
        f"{names[0]},p1,PA,F,61,Effusion|Mass,test,200,240\n"
        f"{names[1]},p2,,,,,,,\n"
    )
    one, two = run(folder / "table.csv", tmp_path / "x.zarr")
    assert (one["patient_id"], one["view"], one["sex"], one["age"]) == ("p1", "PA", "F", 61)
    assert (one["findings"], one["split"]) == (["Effusion", "Mass"], "test")
    assert one["pixel_mm"] == 10
    assert (two["patient_id"], two["view"], two["findings"], two["pixel_mm"]) == (
        "p2",
        None,
        None,
        None,
    )
