#!/usr/bin/env bash
# imageio: reading one DICOM file gives the pixels of another series in a folder below it.
#
# Versions: imageio 2.38.1, pydicom 3.0.2, numpy 2.4.6.
#
# Input: study/radiograph.dcm, one image of patient A; study/prior/1.dcm and 2.dcm, a CT series of
# patient B. All complete, uncompressed, Explicit VR Little Endian.
#
# Expected: imageio.v3.imread("study/radiograph.dcm") gives that image. Its documentation says that
# imread reads what is stored in the resource that is named. That of the DICOM plugin promises
# volumes to volread alone, and says "the first one" if there are several; nothing says that the
# file that was named need not be in the answer.
#
# Seen: the folder of the file is searched, folders below it too, files are grouped by series, and
# the series with the lowest Series Instance UID (as text) is the answer. Whether the named file is
# part of it plays no role. imageio.v2.imread and plugin="pydicom" read the right image, but the
# latter is not the plugin that is chosen, even where pydicom is installed. (The old one has been
# deprecated, which a DeprecationWarning says that Python hides by default.)
#
# Output: as stated: imread of patient A's one 4 x 5 image gives patient B's series, shape
# (2, 4, 5), value 700
#
# Why it matters: exports from an archive have one folder per study and below it one per series or
# prior. A loop over the files of a folder trains on, or measures, one patient again and again under
# the names of all the others; nothing fails, and the shape differs only if the other is a stack.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check \
    imageio==2.38.1 pydicom==3.0.2 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import contextlib
import io
import sys
from pathlib import Path

import imageio.v2
import imageio.v3
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
    generate_uid,
)


def write(path, patient, series, number, value, sop_class, modality):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, generate_uid()
    ds.PatientID = ds.PatientName = patient
    ds.PatientBirthDate = ds.PatientSex = ds.StudyDate = ds.StudyTime = ""
    ds.ReferringPhysicianName = ds.AccessionNumber = ds.StudyID = ds.Manufacturer = ""
    ds.StudyInstanceUID, ds.SeriesInstanceUID = series + ".9", series
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = modality, 1, number
    if modality == "CT":
        ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = series + ".8", ""
        ds.ImagePositionPatient = [0, 0, number]
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.PixelSpacing, ds.SliceThickness = [1, 1], 1
        ds.KVP = ds.AcquisitionNumber = ""
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    else:
        ds.ConversionType = "WSD"
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, 0, "US"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = 4, 5
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.PixelData = np.full((4, 5), value, "<i2").tobytes()
    ds["PixelData"].VR = "OW"
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)


def shape_and_value(image):
    return np.shape(image), int(np.ravel(image)[0])


named = Path("study/radiograph.dcm")
write(named, "A", "1.2.826.0.1.2", 1, 100, SecondaryCaptureImageStorage, "OT")
for number in (1, 2):
    file = Path(f"study/prior/{number}.dcm")
    write(file, "B", "1.2.826.0.1.1", number, 700, CTImageStorage, "CT")

with contextlib.redirect_stdout(io.StringIO()):  # the plugin prints how far it is
    seen = shape_and_value(imageio.v3.imread(named))
    by_v2 = shape_and_value(imageio.v2.imread(named))
    by_pydicom = shape_and_value(imageio.v3.imread(named, plugin="pydicom"))
right = ((4, 5), 100)
if (by_v2, by_pydicom) != (right, right):
    sys.exit(f"changed: v2 gives {by_v2}, plugin pydicom {by_pydicom}; both gave {right}")
if seen != ((2, 4, 5), 700):
    sys.exit(f"changed: imread gives {seen}; it gave ((2, 4, 5), 700), of the other patient")
print(
    "as stated: imread of patient A's one 4 x 5 image gives patient B's series, "
    f"shape {seen[0]}, value {seen[1]}"
)
PYTHON
