#!/usr/bin/env bash
# SimpleITK: a NIfTI file that says "values are not scaled" is shifted by its intercept in silence.
#
# Version: SimpleITK 2.5.7. Beside it: nibabel 5.4.2.
#
# Input: int16 voxels that are Hounsfield units already, in a NIfTI-1 file whose header has
# scl_slope = 0 and scl_inter = -1024, as a converter leaves it that zeroes the slope after it has
# applied both.
#
# Expected: nifti1.h: "If the scl_slope field is nonzero, then each voxel value in the dataset should
# be scaled as y = scl_slope * x + scl_inter". With a slope of 0 there is no scaling, whatever the
# intercept; nibabel gives the stored values.
#
# Seen: SimpleITK takes the slope for 1, keeps the intercept, and gives float32 values that are all
# 1024 too low: water is -1024, which is air.
#
# Output: as stated: stored -1000, 0, 40 HU read as -2024, -1024, -984 by SimpleITK, as they are by
# nibabel
#
# Why it matters: one tool of a chain windows, segments or trains on values that another tool sees
# 1024 HU away; nothing says so, and clipping at -1024 makes the picture look plausible again.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check simpleitk==2.5.7 nibabel==5.4.2 \
    numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys

import nibabel
import numpy as np
import SimpleITK

hu = np.array([-1000, 0, 40], np.int16).reshape(1, 1, 3)
SimpleITK.WriteImage(SimpleITK.GetImageFromArray(hu), "a.nii")
content = bytearray(open("a.nii", "rb").read())
content[112:120] = np.array([0, -1024], "<f4").tobytes()  # scl_slope, scl_inter
open("a.nii", "wb").write(content)

stored = np.asarray(nibabel.load("a.nii").dataobj).ravel().tolist()
if stored != [-1000, 0, 40]:
    sys.exit(f"changed: nibabel reads {stored}")
seen = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage("a.nii")).ravel().tolist()
if seen != [-2024, -1024, -984]:
    sys.exit(f"changed: SimpleITK reads {seen}")
print(
    "as stated: stored -1000, 0, 40 HU read as -2024, -1024, -984 by SimpleITK, as they are by "
    "nibabel"
)
PYTHON
