#!/usr/bin/env bash
# SimpleITK: a NIfTI header whose slope of 0 says "not scaled" has its intercept added all the same.
#
# Version: SimpleITK 2.5.7. Compared with nibabel 5.4.2.
#
# Input: a NIfTI-1 file of 24 voxels, int16, values 0 to 23, with scl_slope 0 and scl_inter -77.
#
# Expected: nifti1.h: "If the scl_slope field is nonzero, then each voxel value in the dataset should
# be scaled as y = scl_slope * x + scl_inter"; where it is 0, values are as stored. nibabel reads
# them so.
#
# Seen: SimpleITK takes the slope for 1 and adds the intercept: values run from -77 to -54. There is
# no warning.
#
# Output: as stated: the first voxels of a file that is not scaled are -77 -76 -75, not 0 1 2
#
# Why it matters: writers leave whatever they like in an intercept that has no meaning. Hounsfield
# units, masks and labels are shifted by it in one toolkit and not in the other.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check \
  simpleitk==2.5.7 nibabel==5.4.2 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import struct
import sys

import nibabel
import numpy as np
import SimpleITK

stored = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
SimpleITK.WriteImage(SimpleITK.GetImageFromArray(stored), "plain.nii")
with open("plain.nii", "rb") as file:
    content = bytearray(file.read())
struct.pack_into("<2f", content, 112, 0.0, -77.0)
with open("a.nii", "wb") as file:
    file.write(content)
if not np.array_equal(nibabel.load("a.nii").get_fdata().T, stored):
    sys.exit("changed: nibabel reads other values than are stored")
seen = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage("a.nii"))
if not np.array_equal(seen, stored - 77.0):
    sys.exit(f"changed: SimpleITK reads {seen.ravel()[:3].tolist()}")
first = " ".join(str(int(value)) for value in seen.ravel()[:3])
print(f"as stated: the first voxels of a file that is not scaled are {first}, not 0 1 2")
PYTHON
