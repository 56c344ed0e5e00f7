#!/usr/bin/env bash
# hdf5plugin's ZFP filter: the error bound does not hold for big-endian arrays, and nibabel gives
# such arrays for every FreeSurfer volume.
#
# Versions: hdf5plugin 7.1.0, h5py 3.16.0, nibabel 5.4.2, numpy 2.4.6.
#
# Input: a float32 FreeSurfer volume (.mgh, big-endian by definition) with a smooth field of -1000
# to 1000, written and read with nibabel, handed to h5py as it comes (dtype ">f4").
#
# Expected: hdf5plugin documents `accuracy` as the absolute error tolerance. h5py stores big-endian
# types as such, and its own filters give them back unchanged. The documentation of the filter,
# H5Z-ZFP, knows the problem and says that a file type of another byte order than the machine's is
# not allowed: making the dataset would have to fail.
#
# Seen: it does not fail. The filter takes swapped bytes for numbers and compresses those within its
# bound; what comes back is noise of up to 10^34 where 0.01 was the bound, 97 % of the voxels are
# off by more than 1, and the data take three times the space. The same array in the machine's order
# keeps the bound. The lossless modes (gzip, and ZFP with reversible=True) are right in both orders,
# so that a test of the pipeline with one of them shows nothing.
#
# Output: as stated: asked for errors of at most 0.01, ZFP gives 0.001 for <f4 and 1e+34 for >f4,
# the FreeSurfer volume as nibabel reads it
#
# Why it matters: np.asarray(image.dataobj) is nibabel's way to the data without a copy in float64,
# and gives the file's byte order for .mgh, .mgz and big-endian NIfTI alike. Writing it to a
# compressed store destroys the data without a word, and who converts to save space deletes the
# originals.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check \
    hdf5plugin==7.1.0 h5py==3.16.0 nibabel==5.4.2 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys

import h5py
import hdf5plugin
import nibabel
import numpy as np

BOUND = 0.01
z, y, x = np.mgrid[:24, :32, :40] / 40
field = (1000 * np.sin(5 * x + 3 * y) * np.cos(4 * z)).astype(np.float32)
nibabel.save(nibabel.MGHImage(field, np.eye(4)), "a.mgh")
volume = np.asarray(nibabel.load("a.mgh").dataobj)
if volume.dtype != ">f4" or not np.array_equal(volume, field):
    sys.exit(f"changed: nibabel gives {volume.dtype}, or other values; it gave >f4")


def worst(values, filters):
    with h5py.File("a.h5", "w") as file:
        file.create_dataset("volume", data=values, chunks=values.shape, **filters)
    with h5py.File("a.h5") as file:
        return float(np.abs(file["volume"][:].astype(float) - field).max())


for name, filters in (("gzip", {"compression": "gzip"}), ("ZFP", hdf5plugin.Zfp(reversible=True))):
    if worst(volume, filters) != 0:
        sys.exit(f"changed: {name} without loss changes big-endian values")
bounded = hdf5plugin.Zfp(accuracy=BOUND)
native, swapped = worst(field, bounded), worst(volume, bounded)
if not native <= BOUND:
    sys.exit(f"changed: error {native} in the order of the machine, bound {BOUND}")
if not swapped > 1e6:
    sys.exit(f"changed: error {swapped} for a big-endian array; it was far beyond 10^6")
print(
    f"as stated: asked for errors of at most {BOUND}, ZFP gives {native:.1g} for <f4 and "
    f"{swapped:.0e} for >f4, the FreeSurfer volume as nibabel reads it"
)
PYTHON
