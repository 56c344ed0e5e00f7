#!/usr/bin/env bash
# HDF5: twelve bits of the scale-offset filter do not hold a 12-bit CT; its largest value comes back
# as 0.
#
# Versions: h5py 3.16.0 (its wheel brings HDF5 2.0.0), numpy 2.4.6.
#
# Input: int16 with all values from -1024 to 3071, the range of a 12-bit CT: 4096 values, that is 12
# bits. Written with scaleoffset=12, scaleoffset=13 and scaleoffset=0.
#
# Expected: h5py documents the number for integers as the number of bits to retain. 4096 different
# values need 12 bits, so scaleoffset=12 keeps every one, as scaleoffset=0 ("the number of bits
# required for lossless compression") does.
#
# Seen: the filter keeps the largest code for the fill value, which every dataset has unless it is
# told otherwise (0 by default). 12 bits hold 4095 values and the fill value: each 3071 is read back
# as 0, all others are right. With fillvalue=7 it is read as 7. A picture of 0 to 4095 gets through,
# since its own 0 is the fill value and takes no code; moved up by one it loses its 4096. Nothing
# is said at writing or at reading.
#
# Output: as stated: 12 bits turn all 16 voxels of 3071 HU into 0 (7 if that is the fill value); 13
# bits and automatic keep them
#
# Why it matters: 3071 HU is where a 12-bit CT clips metal, dense bone and contrast. Those voxels
# become soft tissue, in the middle of the brightest parts, and only there: means and histograms
# hardly move, while thresholds for bone or implants get holes. The same holds for any detector that
# saturates at the top of its range and whose data are stored with an offset.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check h5py==3.16.0 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys

import h5py
import numpy as np

BRIGHTEST = 3071
ct = np.tile(np.arange(-1024, BRIGHTEST + 1, dtype=np.int16), 16).reshape(256, 256)


def after_writing(values, **options):
    with h5py.File("a.h5", "w") as file:
        file.create_dataset("ct", data=values, chunks=values.shape, **options)
    with h5py.File("a.h5") as file:
        return file["ct"][:]


for bits in (13, 0):
    if not np.array_equal(after_writing(ct, scaleoffset=bits), ct):
        sys.exit(f"changed: scaleoffset={bits} loses values")
for fill in (0, 7):
    seen = after_writing(ct, scaleoffset=12, fillvalue=fill)
    if not np.array_equal(seen, np.where(ct == BRIGHTEST, fill, ct)):
        sys.exit(f"changed: with fill value {fill}, not just 3071 alone is read as {fill}")
if after_writing(ct, scaleoffset=12)[ct == BRIGHTEST].any():
    sys.exit("changed: 3071 is not read as 0 where no fill value is given")
if not np.array_equal(after_writing(ct + 1024, scaleoffset=12), ct + 1024):
    sys.exit("changed: 0 to 4095 no longer gets through 12 bits")
if after_writing(ct + 1025, scaleoffset=12).max() != 4095:
    sys.exit("changed: 1 to 4096 kept 4095 as its largest value")
print(
    f"as stated: 12 bits turn all {np.count_nonzero(ct == BRIGHTEST)} voxels of 3071 HU into 0 "
    "(7 if that is the fill value); 13 bits and automatic keep them"
)
PYTHON
