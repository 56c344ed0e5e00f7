#!/usr/bin/env bash
# MONAI: in a DICOM Segmentation without its empty frames, segments of different slices are laid on
# top of each other, on slices that are none of theirs.
#
# Versions: MONAI 1.6.1, torch 2.13.0, highdicom 0.28.2, pydicom 3.0.2, numpy 2.4.6.
#
# Input: a binary Segmentation made by highdicom from a CT of ten slices, 3 mm apart. Segment 1 has
# four voxels of 1 x 1 mm in each of the slices at z = 6 and 9 mm, segment 2 in those at 21 and 24
# mm, both 24 mm^3. Saved without empty frames, as highdicom does unless told otherwise, and with
# them. The position of each frame is in the Per-frame Functional Groups Sequence.
#
# Expected: MONAI's PydicomReader is documented to load segmentations, to require that sequence for
# it, and to take the position from there. DICOM asks for no frame of a slice that holds nothing of
# the segment. Each segment at its place, as highdicom reads it from both files; or an error.
#
# Seen: with the empty frames both segments are right. Without them, the frames are counted, not
# asked for their position: the first frame of each segment becomes slice 0, the second slice 1.
# Slice 0 is put where the first frame of the file is, and the last slice where the last is, which
# belongs to another segment. Both segments are said to be in the two slices at 9 and 21 mm, 12 mm
# apart. Nothing is said. Segments of different numbers of frames do raise an error.
#
# Output: as stated: segments of 24 mm^3 at z 6 9 and 21 24 mm are read as 96 mm^3 at 9 21 and 9 21
# where empty frames are left out, and as they are where those are kept
#
# Why it matters: two lesions on the same number of slices are common where lesions are small, and
# those files alone are read, the others of the collection refused. The two become neighbours in one
# slice, of four times the size, and half of them lie where the scan shows something else.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check torch==2.13.0
venv/bin/python -m pip install -qq --disable-pip-version-check monai==1.6.1 \
    highdicom==0.28.2 pydicom==3.0.2 numpy==2.4.6
venv/bin/python -W ignore - <<'PYTHON'
import sys

import highdicom
import numpy as np
from highdicom.seg import (
    SegmentAlgorithmTypeValues,
    Segmentation,
    SegmentationTypeValues,
    SegmentDescription,
)
from monai.data import PydicomReader
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

STUDY, SERIES, SPACE = generate_uid(), generate_uid(), generate_uid()
SLICES = {1: (2, 3), 2: (7, 8)}  # by segment


def ct_slice(index):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = STUDY, SERIES, SPACE
    ds.PatientID, ds.PatientName, ds.PatientBirthDate, ds.PatientSex = "A", "A", "", ""
    ds.StudyID = ds.StudyDate = ds.StudyTime = ds.AccessionNumber = ""
    ds.ReferringPhysicianName = ""
    ds.Modality, ds.InstanceNumber, ds.Rows, ds.Columns = "CT", index + 1, 8, 6
    ds.PixelSpacing, ds.SliceThickness = [1, 1], 3
    ds.ImageOrientationPatient, ds.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 3 * index]
    return ds


def segment(number):
    return SegmentDescription(
        segment_number=number,
        segment_label=f"lesion {number}",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Neoplasm,
        algorithm_type=SegmentAlgorithmTypeValues.MANUAL,
    )


def write(path, **options):
    mask = np.zeros((10, 8, 6), np.uint8)
    for number, slices in SLICES.items():
        mask[slices, 2:4, 2:4] = number
    Segmentation(
        source_images=[ct_slice(index) for index in range(10)],
        pixel_array=mask,
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[segment(number) for number in SLICES],
        series_instance_uid=generate_uid(),
        series_number=2,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="nobody",
        manufacturer_model_name="none",
        software_versions="1",
        device_serial_number="1",
        **options,
    ).save_as(path)


def place(mask, affine):
    """Where the voxels of a mask lie, z in mm, and their volume in mm^3."""
    voxels = np.argwhere(mask)
    z = voxels @ affine[2, :3] + affine[2, 3]
    return sorted(set(z.round(3).tolist())), len(voxels) * abs(np.linalg.det(affine[:3, :3]))


def by_monai(path):
    reader = PydicomReader()
    segments, about = reader.get_data(reader.read(path))
    return [place(segments[..., index], about["affine"]) for index in range(len(SLICES))]


def by_highdicom(path):
    volume = highdicom.seg.segread(path).get_volume(combine_segments=True)
    return [place(volume.array == number, volume.affine) for number in SLICES]


def same(seen, wanted):
    return all(a == b and abs(c - d) < 0.01 for (a, c), (b, d) in zip(seen, wanted, strict=True))


right = [([3.0 * index for index in slices], 24.0) for slices in SLICES.values()]
write("omitted.dcm")
write("kept.dcm", omit_empty_frames=False)
for path in ("omitted.dcm", "kept.dcm"):
    if not same(by_highdicom(path), right):
        sys.exit(f"changed: highdicom reads {by_highdicom(path)} from {path}")
if not same(by_monai("kept.dcm"), right):
    sys.exit(f"changed: with its empty frames {by_monai('kept.dcm')}")
seen = by_monai("omitted.dcm")
if not same(seen, [([9.0, 21.0], 96.0)] * 2):
    sys.exit(f"changed: without empty frames {seen}")


def words(places):
    return " and ".join(" ".join(f"{z:g}" for z in where) for where, _volume in places)


print(
    f"as stated: segments of {right[0][1]:.0f} mm^3 at z {words(right)} mm are read as "
    f"{seen[0][1]:.0f} mm^3 at {words(seen)} where empty frames are left out, and as they are "
    "where those are kept"
)
PYTHON
