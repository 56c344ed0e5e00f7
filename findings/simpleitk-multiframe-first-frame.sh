#!/usr/bin/env bash
# SimpleITK: in a multi-frame PET, the first frame's slope is used for all, and frames are placed as
# if they were stored in the order of their positions.
#
# Versions: SimpleITK 2.5.7, highdicom 0.28.2, pydicom 3.0.2, numpy 2.4.6.
#
# Input: Legacy Converted Enhanced PET files of four slices, made by highdicom from single frames.
# One of a uniform object, 400 Bq/ml, where each slice has a rescale slope of its own, as PET
# scanners write them: 400, 200, 100, 50 stored with slopes 1, 2, 4, 8. One of 100, 200, 300 and 400
# Bq/ml at z = 0 to 3 mm whose frames, with their entries in the Per-frame Functional Groups
# Sequence, are stored in the order 0, 2, 1, 3: the standard leaves it free, each frame states its
# position.
#
# Expected: SimpleITK applies DICOM's rescale values and gives positions in patient coordinates; for
# a series of single slices it does both slice by slice. Its documentation does not limit this to
# single-frame files. 400 everywhere; at z = 2 mm, what is at z = 2 mm. Or an error.
#
# Seen: the slope of the first frame is used for all, and the frames are laid down in stored order
# from the position of the first, one step apart. The uniform object falls off along z, the other
# has the values of other places. No error, no warning. highdicom reads both rightly; files in the
# order of their positions with one slope for all are right by both.
#
# Output: as stated: a uniform 400 Bq/ml reads 400 200 100 50, and 100 200 300 400 by position reads
# 100 300 200 400; highdicom has both right
#
# Why it matters: archives convert single-frame PET, CT and MR to such files, and scanners write
# multi-frame files directly, dynamic and interleaved ones among them. An uptake that is off by the
# ratio of two slopes is a wrong uptake; a lesion that is moved by slices may be in another organ.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check \
    simpleitk==2.5.7 highdicom==0.28.2 pydicom==3.0.2 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys

import highdicom
import numpy as np
import SimpleITK
from highdicom.legacy import LegacyConvertedEnhancedPETImage
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    PositronEmissionTomographyImageStorage,
    generate_uid,
)

STUDY, SERIES, SPACE = generate_uid(), generate_uid(), generate_uid()


def pet_slice(z, stored, slope):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID = PositronEmissionTomographyImageStorage, generate_uid()
    ds.PatientID, ds.PatientName, ds.PatientBirthDate, ds.PatientSex = "A", "A^B", "", ""
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = STUDY, SERIES, SPACE
    ds.StudyID = ds.AccessionNumber = ds.ReferringPhysicianName = ""
    ds.Manufacturer = ds.PositionReferenceIndicator = ""
    for step in ("Study", "Series", "Acquisition", "Content"):
        setattr(ds, step + "Date", "20200101")
        setattr(ds, step + "Time", "120000")
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber, ds.AcquisitionNumber = "PT", 1, z + 1, 1
    ds.ImageType, ds.Units, ds.PatientPosition = ["ORIGINAL", "PRIMARY"], "BQML", "HFS"
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, z], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceThickness, ds.FrameReferenceTime = [1, 1], 1, 0
    ds.RescaleSlope, ds.RescaleIntercept = slope, 0
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = 4, 5
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.PixelData = np.full((4, 5), stored, "<i2").tobytes()
    ds["PixelData"].VR = "OW"
    return ds


def write(path, slices, order):
    """One file of all slices; `order` says which slice (by z) each frame holds."""
    LegacyConvertedEnhancedPETImage(
        slices,
        series_instance_uid=generate_uid(),
        series_number=2,
        sop_instance_uid=generate_uid(),
        instance_number=1,
    ).save_as(path)
    ds = dcmread(path)
    frames = {
        float(group.PlanePositionSequence[0].ImagePositionPatient[2]): (group, pixels.tobytes())
        for group, pixels in zip(ds.PerFrameFunctionalGroupsSequence, ds.pixel_array, strict=True)
    }
    ds.PerFrameFunctionalGroupsSequence = [frames[z][0] for z in order]
    ds.PixelData = b"".join(frames[z][1] for z in order)
    ds.save_as(path)


def values_by_position(path):
    """The values at z = 0, 1, 2, 3 mm as SimpleITK and as highdicom give them."""
    image = SimpleITK.ReadImage(path)
    indices = [image.TransformPhysicalPointToIndex((0.0, 0.0, float(z))) for z in range(4)]
    volume = highdicom.imread(path).get_volume()
    slices = [round((volume.affine @ [k, 0, 0, 1])[2]) for k in range(4)]
    return (
        [float(image[index]) for index in indices],
        [float(volume.array[slices.index(z), 0, 0]) for z in range(4)],
    )


def stated(path, by_sitk, by_highdicom):
    seen = values_by_position(path)
    if seen != (by_sitk, by_highdicom):
        sys.exit(f"changed: {path} by SimpleITK and highdicom: {seen}, not {by_sitk, by_highdicom}")
    return " ".join(f"{value:.0f}" for value in seen[0])


write("uniform.dcm", [pet_slice(z, 400 // 2**z, 2**z) for z in range(4)], (0, 1, 2, 3))
steps = [pet_slice(z, 100 * (z + 1), 1) for z in range(4)]
write("ordered.dcm", steps, (0, 1, 2, 3))
write("shuffled.dcm", steps, (0, 2, 1, 3))
uniform = stated("uniform.dcm", [400, 200, 100, 50], [400] * 4)
stated("ordered.dcm", [100, 200, 300, 400], [100, 200, 300, 400])
shuffled = stated("shuffled.dcm", [100, 300, 200, 400], [100, 200, 300, 400])
print(
    f"as stated: a uniform 400 Bq/ml reads {uniform}, and 100 200 300 400 by position reads "
    f"{shuffled}; highdicom has both right"
)
PYTHON
