#!/usr/bin/env bash
# Pillow: turning a 16-bit picture with interpolation, and pasting one of 16-bit or float values
# through a grey mask, mix the bytes of the values, not the values.
#
# Versions: Pillow 13.0.0, numpy 2.4.6.
#
# Input: a smooth ramp from 20000 to 45200 as "I;16", "I" and "F". Turned by 10 degrees with each of
# the filters; and laid over a picture of 0 through a mask of mode "L" and 128, that is one half.
#
# Expected: rotate() is documented to take NEAREST, BILINEAR and BICUBIC, and to fall back to the
# first for the modes "1" and "P"; paste(), and with it composite(), to mix two pictures where the
# mask lies between 0 and 255. "F" is among the modes of Pillow, "I;16" among those of limited
# support, for which reduce(), blend() and filters raise "image has wrong mode".
#
# Seen: turned with BILINEAR or BICUBIC, "I;16" is read as if every pixel were one byte: what was
# 20000 to 45200 is 0 to 255. NEAREST is right, and so are "I" and "F". Through a mask, "I;16" is
# pasted over the left half of the picture alone, also where the mask is 255. Through one half, each
# byte of a value is halved by itself: "F" comes out below 1e-16, as its exponent is halved as well.
# Nothing is said.
#
# Output: as stated: turned with BILINEAR or BICUBIC, I;16 of 20000 to 45200 is 7 to 252; through a
# mask, I;16 leaves the right half at 0, and F through one half is at most 3.3e-17
#
# Why it matters: 16-bit PNG of radiographs open as "I;16", and turning by some degrees is a common
# augmentation, smoother with BILINEAR. Scaled to its own range afterwards, the result has texture
# and no error, and networks learn from it. Patches of float maps that are blended with a feathered
# mask leave gaps at their edges.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check Pillow==13.0.0 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys

import numpy as np
from PIL import Image

MODES = {"I;16": np.uint16, "I": np.int32, "F": np.float32}
FILTERS = (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)
y, x = np.mgrid[:64, :64]
ramp = 20000.0 + 300 * x + 100 * y
cosine, sine = np.cos(np.radians(10)), np.sin(np.radians(10))
across, down = x - 31.5, y - 31.5
turned = 20000 + 300 * (cosine * across - sine * down + 31.5)
turned += 100 * (sine * across + cosine * down + 31.5)
inner = slice(16, 48), slice(16, 48)


def away(seen, wanted):
    return np.abs(np.asarray(seen, np.float64) - wanted).max()


bytes_alone, masked = [], {}
for mode, kind in MODES.items():
    picture = Image.fromarray(ramp.astype(kind))
    if picture.mode != mode:
        sys.exit(f"changed: {kind.__name__} opens as {picture.mode}")
    for resample in FILTERS:
        seen = np.asarray(picture.rotate(10, resample))[inner]
        if mode == "I;16" and resample != Image.Resampling.NEAREST:
            bytes_alone.append(seen)
        elif away(seen, turned[inner]) > 300:
            sys.exit(f"changed: {mode} turned with {resample.name} is {seen}")
    black = Image.new(mode, picture.size)
    for grey in (128, 255):
        mask = Image.new("L", picture.size, grey)
        masked[mode, grey] = np.asarray(Image.composite(picture, black, mask), np.float64)
least, most = np.min(bytes_alone), np.max(bytes_alone)
if most > 255:
    sys.exit(f"changed: I;16 turned is {least} to {most}")
for mode in ("I", "F"):
    if away(masked[mode, 255], ramp) > 0:
        sys.exit(f"changed: through a mask of 255, {mode} is {masked[mode, 255]}")
for grey in (128, 255):
    left, right = np.hsplit(masked["I;16", grey], 2)
    if away(left, ramp[:, :32] * grey / 255) > 200 or right.any():
        sys.exit(f"changed: through a mask of {grey}, I;16 is {masked['I;16', grey]}")
largest = masked["F", 128].max()
if largest > 1e-10:
    sys.exit(f"changed: through a mask of one half, F is {masked['F', 128]}")
print(
    f"as stated: turned with BILINEAR or BICUBIC, I;16 of {ramp.min():.0f} to {ramp.max():.0f} is "
    f"{least} to {most}; through a mask, I;16 leaves the right half at 0, and F through one half "
    f"is at most {largest:.1e}"
)
PYTHON
