#!/usr/bin/env bash
# OpenCV and Pillow: the same 12-bit picture is multiplied by 16 by the one in TIFF, by the other in
# JPEG 2000.
#
# Versions: OpenCV 5.0.0.93 (headless), Pillow 13.0.0, tifffile 2026.3.3, imagecodecs 2026.3.6,
# numpy 2.4.6.
#
# Input: one grey picture of 0 to 4095: packed with 12 bits per sample in TIFF (BitsPerSample 12),
# and as lossless JPEG 2000 with a precision of 12 bits (JP2).
#
# Expected: both formats state that the samples are integers of 12 bits; lossless reading gives the
# integers that were stored. Should a library prefer to stretch them to 16 bits, it does so for
# every format: IMREAD_UNCHANGED of OpenCV documents "the loaded image as is", and mode I;16 of
# Pillow 16-bit unsigned integers, neither a factor.
#
# Seen: four readings, two factors. OpenCV: TIFF times 16, JPEG 2000 as stored. Pillow: TIFF as
# stored, JPEG 2000 times 16. tifffile and imagecodecs give what was stored. All arrays are uint16;
# nothing in them tells which was done.
#
# Output: as stated: 4095 is 65520 by OpenCV and 4095 by Pillow in TIFF, 4095 by OpenCV and 65520 by
# Pillow in JPEG 2000
#
# Why it matters: many radiographs have 12 bits. Who converts an archive from one format to the
# other, or changes the library behind the same loader, changes all grey values by 16: windows,
# normalisation by 4095 and anything calibrated in detector units are off, and a data set that was
# read by both ways mixes two scales.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check opencv-python-headless==5.0.0.93 \
    pillow==13.0.0 tifffile==2026.3.3 imagecodecs==2026.3.6 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import tifffile
from PIL import Image

picture = np.arange(4096, dtype=np.uint16).reshape(64, 64)
tifffile.imwrite("a.tif", picture, bitspersample=12)
coded = imagecodecs.jpeg2k_encode(picture, level=0, reversible=True, bitspersample=12)
Path("a.jp2").write_bytes(coded)

STATED = {"OpenCV a.tif": 16, "Pillow a.tif": 1, "OpenCV a.jp2": 1, "Pillow a.jp2": 16}
for reader, seen in (
    ("tifffile", tifffile.imread("a.tif")),
    ("imagecodecs", imagecodecs.jpeg2k_decode(coded)),
):
    if not np.array_equal(seen, picture):
        sys.exit(f"changed: {reader} no longer gives what was stored")
largest = {}
for file in ("a.tif", "a.jp2"):
    with Image.open(file) as image:
        readings = {"OpenCV": cv2.imread(file, cv2.IMREAD_UNCHANGED), "Pillow": np.asarray(image)}
    for reader, seen in readings.items():
        name = f"{reader} {file}"
        if seen.dtype != np.uint16 or not np.array_equal(seen, picture * STATED[name]):
            sys.exit(f"changed: {name} is no longer the picture times {STATED[name]}")
        largest[name] = seen.max()
print(
    f"as stated: 4095 is {largest['OpenCV a.tif']} by OpenCV and {largest['Pillow a.tif']} by "
    f"Pillow in TIFF, {largest['OpenCV a.jp2']} by OpenCV and {largest['Pillow a.jp2']} by Pillow "
    "in JPEG 2000"
)
PYTHON
