#!/usr/bin/env bash
# SimpleITK: writing a vector or complex image as GIPL keeps a third or half of it in silence.
#
# Version: SimpleITK 2.5.7.
#
# Input: a displacement field of 4 x 3 x 2 voxels with three float components, and a complex image
# of the same size, as k-space or B0 work has them; written to .gipl and read back.
#
# Expected: GIPL (the Guy's Image Processing Lab format of ITK-SNAP's and MIRTK's world) holds one
# number per voxel. A writer that is handed several refuses. SimpleITK's writers do so elsewhere:
# .mrc refuses vectors, .png refuses floats, and .gipl itself refuses 32- and 64-bit integers.
#
# Seen: both are written without an error. The file is a scalar float image of the right size,
# spacing and origin. It is filled with as many numbers as there are voxels, taken in order from
# x0 y0 z0 x1 y1 z1 ...: voxel 1 holds the y of voxel 0, and two thirds of the field (half of the
# complex image) are gone. NRRD and NIfTI give both back as they were.
#
# Output: as stated: a field of 24 vectors comes back from GIPL as the 24 numbers of its first 8
# vectors, 24 complex numbers as the parts of the first 12
#
# Why it matters: the suffix alone chooses the format. A script that writes what a registration gave
# under another name in the chain runs to its end; the result opens in every viewer with the right
# geometry and looks like a striped image.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check simpleitk==2.5.7 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys

import numpy as np
import SimpleITK

VOXELS = 2 * 3 * 4
vectors = np.arange(VOXELS * 3, dtype=np.float32).reshape(2, 3, 4, 3)
waves = (np.arange(VOXELS) + 1j * np.arange(100, 100 + VOXELS)).astype(np.complex64)
waves = waves.reshape(2, 3, 4)
images = {
    "vectors": (SimpleITK.GetImageFromArray(vectors, isVector=True), vectors.ravel()),
    "complex": (SimpleITK.GetImageFromArray(waves), waves.ravel().view(np.float32)),
}


def after_writing(image, suffix):
    SimpleITK.WriteImage(image, "a" + suffix)
    return SimpleITK.ReadImage("a" + suffix)


for name, (image, numbers) in images.items():
    for suffix in (".nrrd", ".nii"):
        seen = SimpleITK.GetArrayFromImage(after_writing(image, suffix))
        if not np.array_equal(seen, SimpleITK.GetArrayFromImage(image)):
            sys.exit(f"changed: {suffix} loses {name}")
    try:
        seen = after_writing(image, ".gipl")
    except RuntimeError as error:
        sys.exit(f"changed: GIPL refuses {name}: {str(error).splitlines()[-1]}")
    if seen.GetPixelID() != SimpleITK.sitkFloat32 or seen.GetSize() != image.GetSize():
        sys.exit(f"changed: {name} as GIPL are {seen.GetPixelIDTypeAsString()}")
    if not np.array_equal(SimpleITK.GetArrayFromImage(seen).ravel(), numbers[:VOXELS]):
        sys.exit(f"changed: {name} as GIPL are other numbers than the first {VOXELS}")
print(
    f"as stated: a field of {VOXELS} vectors comes back from GIPL as the {VOXELS} numbers of its "
    f"first {VOXELS // 3} vectors, {VOXELS} complex numbers as the parts of the first {VOXELS // 2}"
)
PYTHON
