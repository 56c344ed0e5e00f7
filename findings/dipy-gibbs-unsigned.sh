#!/usr/bin/env bash
# DIPY: the removal of Gibbs ringing turns magnitude images that are stored as unsigned integers
# into noise.
#
# Versions: dipy 1.12.1, nibabel 5.4.2, scipy 1.17.1, numpy 2.4.6.
#
# Input: a phantom of two ellipses of 1000 and 1500, cut in k-space from 256 x 256 to 64 x 64, its
# magnitude rounded to whole numbers, of 1568 at most, three slices of it. Stored in NIfTI as
# float32, int16 and uint16; each read with dipy's load_nifti and given to gibbs_removal with its
# default settings, the last one also to the command dipy_gibbs_ringing.
#
# Expected: the documentation asks for volumes of images and names no type. load_nifti gives what is
# stored, uint16 for uint16. The files hold the same numbers, so that the results are the same but
# for rounding. No corrected value is negative or large, so that none can overflow.
#
# Seen: as float32 all is well, from 0 to 1521 with a mean of 408. As int16 it is within ten of
# that. As uint16 19 of 20 voxels are off by more than 100, values reach 64073, and the mean is
# 8382. The shift of each voxel is chosen by its total variation, the sum of the differences of
# neighbours, and those of the image as it came are taken in its own type, where 1 - 2 is 65535. The
# shifted images are then put into arrays of that type, and subtracted from each other in it. The
# command does the same and writes it to a file. inplace=True, the default, has overwritten a single
# volume by then.
#
# Output: as stated: an image of 0 to 1568 with a mean of 406 becomes one of 0 to 1521 with 408 as
# float32, of 5 to 64073 with 8382 as uint16; dipy_gibbs_ringing writes the same
#
# Why it matters: magnitudes are not negative, and converters and denoising tools store them as
# uint16 where they pass 32767. The step comes first in diffusion pipelines that run over hundreds
# of subjects; models of diffusion are fitted to ratios of such images and give a number for every
# voxel. A test on images that are int16, as most are, shows nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check dipy==1.12.1 nibabel==5.4.2 \
    scipy==1.17.1 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import subprocess
import sys

import nibabel
import numpy as np
from dipy.denoise.gibbs import gibbs_removal
from dipy.io.image import load_nifti

FINE, COARSE = 256, 64


def ellipse(x, y, width, height):
    row, column = np.mgrid[:FINE, :FINE] - FINE / 2
    return ((column - x) / width) ** 2 + ((row - y) / height) ** 2 < 1


phantom = 1000.0 * ellipse(0, 0, 100, 80) + 500 * ellipse(20, -10, 20, 30)
low = slice((FINE - COARSE) // 2, (FINE + COARSE) // 2)
spectrum = np.fft.fftshift(np.fft.fft2(phantom))[low, low]
magnitude = np.abs(np.fft.ifft2(np.fft.ifftshift(spectrum))) * (COARSE / FINE) ** 2
image = np.repeat(np.round(magnitude)[..., None], 3, axis=2)


def corrected(kind):
    """What gibbs_removal makes of the image, stored and read as this type."""
    nibabel.save(nibabel.Nifti1Image(image.astype(kind), np.eye(4)), f"{kind}.nii")
    data, _affine = load_nifti(f"{kind}.nii")
    if data.dtype != kind or not np.array_equal(data, image):
        sys.exit(f"changed: {kind} is read as {data.dtype}")
    return gibbs_removal(data).astype(float)


def by_command(kind):
    command = ["venv/bin/dipy_gibbs_ringing", f"{kind}.nii", "--out_dir", ".", "--out_unring"]
    subprocess.run([*command, f"{kind}-out.nii"], check=True, capture_output=True)
    return load_nifti(f"{kind}-out.nii")[0].astype(float)


real, signed, unsigned = (corrected(kind) for kind in ("float32", "int16", "uint16"))
if np.abs(real - image).max() > 300 or real.min() < 0 or np.abs(signed - real).max() > 20:
    sys.exit(f"changed: float32 and int16 reach {real.max()} and {signed.max()}")
off = (np.abs(unsigned - real) > 100).mean()
if off < 0.9 or unsigned.max() < 2**15 or unsigned.mean() < 10 * real.mean():
    sys.exit(f"changed: of uint16 {off:.0%} are off by more than 100, {unsigned.max()} at most")
if not np.array_equal(by_command("uint16"), unsigned):
    sys.exit("changed: dipy_gibbs_ringing writes something else than gibbs_removal returns")


def words(values):
    return f"{values.min():.0f} to {values.max():.0f} with {values.mean():.0f}"


print(
    f"as stated: an image of {words(image).replace('with', 'with a mean of')} becomes one of "
    f"{words(real)} as float32, of {words(unsigned)} as uint16; dipy_gibbs_ringing writes the same"
)
PYTHON
