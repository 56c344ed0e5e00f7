#!/usr/bin/env bash
# dcm2niix: lossless JPEG with predictor 5, 6 or 7 goes wrong where values pass 32767.
#
# Versions: dcm2niix 1.0.20260724, imagecodecs 2026.3.6 (libjpeg-turbo), pydicom 3.0.2 with
# pylibjpeg 2.1.0 and pylibjpeg-libjpeg 2.5.0, nibabel 5.4.2, numpy 2.4.6.
#
# Input: one smooth MR image, 16 bits stored, unsigned, compressed as JPEG Lossless (transfer syntax
# 1.2.840.10008.1.2.4.57, which leaves the choice of predictor free) with each of the predictors 1
# to 7; once with values up to 30000, once up to 60000.
#
# Expected: all seven predictors of ITU-T T.81, table H.1, are lossless at every precision from 2 to
# 16 bits. This transfer syntax is among those that dcm2niix lists as supported, without a limit.
#
# Seen: up to 30000 all seven are right. Up to 60000, predictors 1 to 4 are right; with 5, 6 and 7,
# which halve a difference or a sum, most pixels are wrong, by up to tens of thousands (as if the
# halving took place in signed numbers of 16 bits). The conversion ends with success and without a
# warning about it. libjpeg-turbo and the library behind pylibjpeg decode all fourteen rightly.
#
# Output: as stated: of 3072 pixels up to 60000, dcm2niix has wrong 0 0 0 0 2436 2296 2947 with
# predictors 1 to 7, none up to 30000; two other decoders have none
#
# Why it matters: unsigned 16-bit MR, PET and radiographs use the upper half of the range, archives
# choose the predictor that compresses best, and the conversion to NIfTI is the first step of most
# studies. A compression that is called lossless is the last thing that is suspected.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check dcm2niix==1.0.20260724 \
    imagecodecs==2026.3.6 pydicom==3.0.2 pylibjpeg==2.1.0 pylibjpeg-libjpeg==2.5.0 \
    nibabel==5.4.2 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import subprocess
import sys
import tempfile
from pathlib import Path

import imagecodecs
import nibabel
import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLossless, MRImageStorage, generate_uid


def write(path, picture, frame):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = JPEGLossless
    ds.SOPClassUID, ds.SOPInstanceUID = MRImageStorage, generate_uid()
    ds.PatientID, ds.PatientName, ds.PatientBirthDate, ds.PatientSex = "A", "A", "", ""
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = "20200101", "120000", "", ""
    ds.ReferringPhysicianName = ds.Manufacturer = ds.PositionReferenceIndicator = ""
    ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(), generate_uid()
    ds.FrameOfReferenceUID = generate_uid()
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "MR", 1, 1
    ds.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    ds.ScanningSequence, ds.SequenceVariant, ds.MRAcquisitionType = "SE", "NONE", "2D"
    ds.ScanOptions = ds.RepetitionTime = ds.EchoTime = ds.EchoTrainLength = ""
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceThickness, ds.PatientPosition = [1, 1], 1, "HFS"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = picture.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.PixelData = encapsulate([frame])
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    ds.save_as(path, enforce_file_format=True)


def by_dcm2niix(folder):
    command = [Path(sys.prefix) / "bin/dcm2niix", "-b", "n", "-z", "n", "-f", "out", folder]
    subprocess.run(command, check=True, capture_output=True)
    stored = np.asarray(nibabel.load(f"{folder}/out.nii").dataobj)
    return np.flip(stored.squeeze(), 1).T  # in NIfTI, column index first and rows from below


y, x = np.mgrid[:64, :48]
shape = (np.sin(x / 5) + np.cos(y / 7)) / 4 + 0.5
wrong = {}
for largest in (30000, 60000):
    picture = (shape * largest).astype(np.uint16)
    for predictor in range(1, 8):
        frame = imagecodecs.jpeg8_encode(
            picture, lossless=True, predictor=predictor, bitspersample=16
        )
        with tempfile.TemporaryDirectory() as folder:
            write(f"{folder}/a.dcm", picture, frame)
            dataset = dcmread(f"{folder}/a.dcm")
            dataset.pixel_array_options(decoding_plugin="pylibjpeg")
            for name, seen in (
                ("imagecodecs", imagecodecs.jpeg8_decode(frame)),
                ("pylibjpeg", dataset.pixel_array),
            ):
                if not np.array_equal(seen, picture):
                    sys.exit(f"changed: {name} misreads predictor {predictor} up to {largest}")
            wrong[largest, predictor] = np.count_nonzero(by_dcm2niix(folder) != picture)
for (largest, predictor), pixels in wrong.items():
    most, none = pixels > picture.size // 2, pixels == 0
    if not (most if largest == 60000 and predictor >= 5 else none):
        sys.exit(f"changed: predictor {predictor} up to {largest}: {pixels} pixels wrong")
counts = " ".join(str(wrong[60000, predictor]) for predictor in range(1, 8))
print(
    f"as stated: of {picture.size} pixels up to 60000, dcm2niix has wrong {counts} with predictors "
    "1 to 7, none up to 30000; two other decoders have none"
)
PYTHON
