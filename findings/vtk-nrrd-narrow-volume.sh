#!/usr/bin/env bash
# VTK: an NRRD volume that is nine voxels wide or less is read as a picture whose pixels have nine
# components.
#
# Versions: vtk 9.7.2, SimpleITK 2.5.7, numpy 2.4.6.
#
# Input: volumes of 9 x 12 x 10 and of 10 x 12 x 10 voxels of 2 x 3 x 4 mm at (5, 6, 7), such as are
# cut out around a nodule; written to NRRD by SimpleITK, raw and compressed. The header says
# "kinds: domain domain domain" and has one direction in space for each of the three axes.
#
# Expected: by the definition of the format an axis that lists the components of a vector is said to
# be such a one by its kind, and has no direction in space ("none"). A volume of 9 x 12 x 10 is one:
# the documentation of vtkNrrdReader limits the encodings and the number of files, no sizes. As
# MetaImage VTK reads it rightly, and SimpleITK reads both.
#
# Seen: the reader skips the kinds and guesses: up to nine samples along the first axis are the
# components of one pixel. The volume comes as a picture of 12 x 10 x 1 pixels of nine components,
# with the spacing of y and z as that of x and y, and the origin of x, y and z in their places. One
# voxel more, and it is a volume of 10 x 12 x 10. No error and no warning.
#
# Output: as stated: 10 x 12 x 10 voxels are read as such, 9 x 12 x 10 as 12 x 10 x 1 pixels of 9
# components and 3 x 4 x 1 mm; as MetaImage, and by SimpleITK, as 9 x 12 x 10 of 2 x 3 x 4 mm
#
# Why it matters: patches, bounding boxes of lesions and masks of them are of any size, and NRRD is
# what 3D Slicer and radiomics exchange; PyVista reads it by this reader. Contours take component 0
# unless told otherwise: what is shown or measured is the outermost sagittal slice, laid flat, and
# only of the smallest objects of a study.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check vtk==9.7.2 simpleitk==2.5.7 \
    numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys
from pathlib import Path

import numpy as np
import SimpleITK
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOImage import vtkMetaImageReader, vtkNrrdReader

SPACING, ORIGIN = (2.0, 3.0, 4.0), (5.0, 6.0, 7.0)


def write(path, values, compressed):
    image = SimpleITK.GetImageFromArray(values)
    image.SetSpacing(SPACING)
    image.SetOrigin(ORIGIN)
    SimpleITK.WriteImage(image, path, useCompression=compressed)
    back = SimpleITK.ReadImage(path)
    if back.GetSpacing() != SPACING or not np.array_equal(
        SimpleITK.GetArrayFromImage(back), values
    ):
        sys.exit(f"changed: SimpleITK reads something else from {path}")


def by_vtk(reader, path):
    """Size, components, spacing, origin, and all numbers in the order of the file."""
    reader.SetFileName(path)
    reader.Update()
    image = reader.GetOutput()
    numbers = vtk_to_numpy(image.GetPointData().GetScalars())
    seen = image.GetDimensions(), image.GetNumberOfScalarComponents(), image.GetSpacing()
    return *seen, image.GetOrigin(), numbers


def check(what, seen, *wanted):
    if seen[:4] != wanted:
        sys.exit(f"changed: {what} is read as {seen[:4]}")


for compressed in (False, True):
    for width in (3, 9, 10):
        size = (width, 12, 10)
        values = np.arange(width * 12 * 10, dtype=np.int16).reshape(size[::-1])
        write("a.nrrd", values, compressed)
        write("a.mha", values, compressed)
        header = Path("a.nrrd").read_bytes().split(b"\n\n")[0].decode()
        if "kinds: domain domain domain" not in header or "none" in header:
            sys.exit(f"changed: SimpleITK writes the header {header}")
        check("MetaImage", by_vtk(vtkMetaImageReader(), "a.mha"), size, 1, SPACING, ORIGIN)
        seen = by_vtk(vtkNrrdReader(), "a.nrrd")
        if not np.array_equal(seen[-1].ravel(), values.ravel()):
            sys.exit("changed: the numbers are others than those of the file")
        if width > 9:
            check(f"NRRD of {size}", seen, size, 1, SPACING, ORIGIN)
        else:
            check(f"NRRD of {size}", seen, (12, 10, 1), width, (3.0, 4.0, 1.0), ORIGIN)
print(
    "as stated: 10 x 12 x 10 voxels are read as such, 9 x 12 x 10 as 12 x 10 x 1 pixels of 9 "
    "components and 3 x 4 x 1 mm; as MetaImage, and by SimpleITK, as 9 x 12 x 10 of 2 x 3 x 4 mm"
)
PYTHON
