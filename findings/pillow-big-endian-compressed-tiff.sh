#!/usr/bin/env bash
# Pillow: signed and floating-point TIFF files that are big-endian and compressed have their bytes
# the wrong way round.
#
# Versions: Pillow 13.0.0, tifffile 2026.3.3, OpenCV 5.0.0.93 (headless), numpy 2.4.6.
#
# Input: one grey picture of -1000 to 1000 as int16, int32 and float32, and of 0 to 2000 as uint16,
# each little- and big-endian ("II" and "MM"), without compression and with Deflate. All of this is
# baseline TIFF 6.0 with its common extensions.
#
# Expected: the byte order of a TIFF file is stated in its first two bytes and is nobody's business
# but the reader's. Pillow documents mode I;16B for big-endian data and reads all of these files
# without compression rightly, and all of them compressed if they are little-endian or uint16.
#
# Seen: int16, int32 and float32 that are big-endian and compressed are swapped once too often
# (libtiff has decoded them to the order of the machine; the bytes are then read as big-endian).
# LZW, PackBits and Zstandard, with and without a predictor, do the same. No error, no warning.
#
# Output: as stated: -1000 in a big-endian Deflate TIFF is 6396 as int16, 419233791 as int32,
# 4.4e-41 as float32; 13 other files are right
#
# Why it matters: CT numbers are signed; dose, attenuation and uncertainty maps are floating-point;
# ImageJ writes big-endian TIFF on every machine. Such a file is read rightly until somebody
# compresses it to save space. The int16 result is still a picture of plausible numbers; the float32
# one is zero for all that a mean can tell.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check \
    pillow==13.0.0 tifffile==2026.3.3 opencv-python-headless==5.0.0.93 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import itertools
import sys

import cv2
import numpy as np
import tifffile
from PIL import Image

BROKEN = {("int16", ">", "deflate"), ("int32", ">", "deflate"), ("float32", ">", "deflate")}
ramp = np.linspace(-1000, 1000, 64 * 48).round().reshape(64, 48)

first, wrong, files = {}, set(), 0
for name, order, packing in itertools.product(
    ("int16", "int32", "float32", "uint16"), "<>", (None, "deflate")
):
    picture = (ramp + 1000 if name == "uint16" else ramp).astype(name)
    tifffile.imwrite("a.tif", picture, byteorder=order, compression=packing)
    with Image.open("a.tif") as image:
        by_pillow = np.asarray(image)
    for reader, seen in (
        ("tifffile", tifffile.imread("a.tif")),
        ("OpenCV", cv2.imread("a.tif", cv2.IMREAD_UNCHANGED)),
    ):
        if not np.array_equal(seen, picture):
            sys.exit(f"changed: {reader} misreads {name} {order} {packing}")
    files += 1
    if not np.array_equal(by_pillow, picture):
        wrong.add((name, order, packing))
        first[name] = by_pillow[0, 0]
        if not np.array_equal(by_pillow.astype(name).byteswap(), picture):
            sys.exit(f"changed: {name} is wrong in another way than swapped bytes")
if wrong != BROKEN:
    sys.exit(f"changed: Pillow misreads {sorted(wrong, key=str)}, it misread {sorted(BROKEN)}")
print(
    f"as stated: -1000 in a big-endian Deflate TIFF is {first['int16']} as int16, "
    f"{first['int32']} as int32, {first['float32']:.1e} as float32; "
    f"{files - len(wrong)} other files are right"
)
PYTHON
