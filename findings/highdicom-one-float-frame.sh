#!/usr/bin/env bash
# highdicom cannot give one frame of a Parametric Map of floats that it wrote itself; all frames at
# once it can.
#
# Versions: highdicom 0.28.2, pydicom 3.0.2, numpy 2.4.6.
#
# Input: a Parametric Map of one float32 frame, made by highdicom's ParametricMap from one CT slice
# and saved. Such an object has Float Pixel Data, and by the standard (PS3.3 C.7.6.24, Floating Point
# Image Pixel Module) no Pixel Representation: the attribute belongs to integers.
#
# Expected: highdicom's guide reads any image with imread; get_frame is its way to one frame, and
# get_frames and get_volume to several.
#
# Seen: get_frames and get_volume give the values, get_frame raises AttributeError: it asks for
# Pixel Representation, which floats do not have.
#
# Output: as stated: get_frames and get_volume give the float map, get_frame raises AttributeError:
# 'Image' object has no attribute 'PixelRepresentation'
#
# Why it matters: maps of numbers (diffusion, perfusion, uncertainty) are what Parametric Maps are
# for, and viewers and loaders of large series read frame by frame. What adds the attribute to please
# the reader writes an object that validators refuse.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check \
    highdicom==0.28.2 pydicom==3.0.2 numpy==2.4.6
venv/bin/python -W ignore - <<'PYTHON'
import sys

import highdicom
import numpy as np
from highdicom.pm import ParametricMap, RealWorldValueMapping
from highdicom.sr.coding import CodedConcept
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

slice_ = Dataset()
slice_.file_meta = FileMetaDataset()
slice_.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
for name, value in (
    ("SOPClassUID", CTImageStorage),
    ("SOPInstanceUID", generate_uid()),
    ("StudyInstanceUID", generate_uid()),
    ("SeriesInstanceUID", generate_uid()),
    ("FrameOfReferenceUID", generate_uid()),
    ("PatientID", "phantom"),
    ("PatientName", "Phantom^Water"),
    ("PatientBirthDate", ""),
    ("PatientSex", ""),
    ("StudyID", ""),
    ("StudyDate", ""),
    ("StudyTime", ""),
    ("AccessionNumber", ""),
    ("ReferringPhysicianName", ""),
    ("Modality", "CT"),
    ("InstanceNumber", 1),
    ("Rows", 8),
    ("Columns", 6),
    ("PixelSpacing", [1, 1]),
    ("SliceThickness", 1),
    ("ImageOrientationPatient", [1, 0, 0, 0, 1, 0]),
    ("ImagePositionPatient", [0, 0, 0]),
):
    setattr(slice_, name, value)
values = np.linspace(0, 1, 48, dtype=np.float32).reshape(1, 8, 6)
unit = RealWorldValueMapping(
    lut_label="1",
    lut_explanation="as stored",
    unit=CodedConcept("1", "UCUM", "no units"),
    value_range=[-1e6, 1e6],
    slope=1,
    intercept=0,
)
ParametricMap(
    [slice_],
    values,
    series_instance_uid=generate_uid(),
    series_number=2,
    sop_instance_uid=generate_uid(),
    instance_number=1,
    manufacturer="nobody",
    manufacturer_model_name="none",
    software_versions="1",
    device_serial_number="1",
    contains_recognizable_visual_features=False,
    real_world_value_mappings=[unit],
    window_center=0.5,
    window_width=1,
).save_as("map.dcm")
image = highdicom.imread("map.dcm")
for name, read in (
    ("get_frames", image.get_frames),
    ("get_volume", lambda: image.get_volume().array),
):
    if not np.array_equal(read(), values):
        sys.exit(f"changed: {name} gives other values than were written")
try:
    image.get_frame(1)
except AttributeError as error:
    print(
        "as stated: get_frames and get_volume give the float map, get_frame raises "
        f"AttributeError: {error}"
    )
else:
    sys.exit("changed: get_frame gives the frame")
PYTHON
