#!/usr/bin/env bash
# highdicom: bits of a pixel that are not part of its value become part of it.
#
# Versions: highdicom 0.28.2, pydicom 3.0.2, SimpleITK 2.5.7, numpy 2.4.6.
#
# Input: a CT image, 12 bits stored in 16 allocated, uncompressed, in two forms. Signed: values of
# -1000 to 900 in two's complement of 12 bits, the 4 bits above them zero. Unsigned: 24 to 1924 with
# an intercept of -1024, the 4 bits above them in use for something else, as overlays were stored
# until 2004.
#
# Expected: by PS3.5 8.1.1 of DICOM the sign bit is the High Bit (here 11), and receivers may assume
# nothing about the unused bits, neither that they are zero nor that they extend the sign.
# pydicom, on which highdicom builds, has followed this since 3.0; GDCM (in SimpleITK) does, too.
# highdicom's documentation says of get_frame that it applies the transforms of the file to the
# stored values.
#
# Seen: highdicom decodes with as many bits stored as allocated. -1000 is 3096 in the signed image,
# and -1000 is 60440 in the unsigned one. Same file, same pydicom underneath, other numbers.
#
# Output: as stated: -1000 HU is -1000 by pydicom and SimpleITK, 3096 (signed) and 60440 (bits in
# use) by highdicom
#
# Why it matters: highdicom is what one takes to put segmentations and maps beside their source
# images, and to get volumes from multi-frame files. In the signed case air, fat and soft tissue
# below 0 HU are the brightest of the image, everything above 0 HU is right, and a check that looks
# at bone passes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check \
    highdicom==0.28.2 pydicom==3.0.2 simpleitk==2.5.7 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys

import highdicom
import numpy as np
import SimpleITK
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_rescale
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

hounsfield = (np.arange(96).reshape(8, 12) * 20 - 1000).astype(np.int16)


def write(path, words, signed, intercept):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, generate_uid()
    ds.PatientID, ds.PatientName, ds.PatientBirthDate, ds.PatientSex = "A", "A", "", ""
    ds.StudyDate = ds.StudyTime = ds.StudyID = ds.AccessionNumber = ""
    ds.ReferringPhysicianName = ds.Manufacturer = ds.PositionReferenceIndicator = ""
    ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(), generate_uid()
    ds.FrameOfReferenceUID = generate_uid()
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "CT", 1, 1
    ds.ImageType, ds.KVP, ds.AcquisitionNumber = ["ORIGINAL", "PRIMARY", "AXIAL"], "", ""
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceThickness = [1, 1], 1
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, intercept, "HU"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = words.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, signed
    ds.PixelData = words.astype("<u2").tobytes()
    ds["PixelData"].VR = "OW"
    ds.save_as(path, enforce_file_format=True)


def by_pydicom(path):
    dataset = dcmread(path)
    return apply_rescale(dataset.pixel_array, dataset)


def check(path):
    for reader, seen in (
        ("pydicom", by_pydicom(path)),
        ("SimpleITK", SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path))[0]),
    ):
        if not np.array_equal(seen, hounsfield):
            sys.exit(f"changed: {reader} misreads {path}")
    return highdicom.imread(path).get_frame(1)


in_use = np.zeros(hounsfield.shape, np.uint16)
in_use[:, :3] = 0xF000
write("signed.dcm", hounsfield.view(np.uint16) & 0x0FFF, 1, 0)
write("overlaid.dcm", (hounsfield + 1024).astype(np.uint16) | in_use, 0, -1024)
signed, overlaid = check("signed.dcm"), check("overlaid.dcm")
if not np.array_equal(signed, np.where(hounsfield < 0, hounsfield + 4096, hounsfield)):
    sys.exit("changed: highdicom no longer adds 4096 to the negative values")
if not np.array_equal(overlaid, hounsfield + in_use.astype(int)):
    sys.exit("changed: highdicom no longer takes the unused bits for part of the value")
print(
    f"as stated: {hounsfield[0, 0]} HU is {hounsfield[0, 0]} by pydicom and SimpleITK, "
    f"{signed[0, 0]:.0f} (signed) and {overlaid[0, 0]:.0f} (bits in use) by highdicom"
)
PYTHON
