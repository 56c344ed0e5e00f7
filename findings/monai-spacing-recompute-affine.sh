#!/usr/bin/env bash
# MONAI: Spacing(recompute_affine=True) forgets where the image is: spacing, origin and orientation
# that it had before are replaced by those of a voxel grid.
#
# Versions: MONAI 1.6.1, torch 2.13.0, numpy 2.4.6.
#
# Input: a volume of 20 x 24 x 16 voxels of 2 x 1.5 x 3 mm whose first voxel lies at (5, -7, 3) mm.
# Every voxel holds its own x in mm, so that whatever is made of it can be asked where it lies.
# Resampled to voxels of 1 mm, and to those that it has.
#
# Expected: the option is documented to recompute the output affine from the output shape, since the
# affine that is computed analytically leaves out that the shape is rounded to whole voxels. It asks
# for the more exact affine: one that differs from that without it by less than a voxel.
#
# Seen: the affine is replaced by the scaling from old to new voxel indices (monai's scale_affine)
# alone, not multiplied by the affine of the image. Resampled to 1 mm, the voxels are said to be
# 0.513 x 0.667 x 0.348 mm and to begin near 0. An image that has the wanted spacing, and whose
# values are not touched, has voxels of 1 mm at (0, 0, 0) afterwards. Without the option, each voxel
# says that x at which its affine puts it; with it, x is wrong by up to 24 mm.
#
# Output: as stated: voxels of 1 x 1 x 1 mm at (5, -7, 3) are said to be 0.513 x 0.667 x 0.348 mm at
# (-0.244, -0.167, -0.326), and an image that is left as it was to have voxels of 1 x 1 x 1 mm at
# (0, 0, 0) rather than 2 x 1.5 x 3 at (5, -7, 3)
#
# Why it matters: the affine is what SaveImage writes to NIfTI and what volumes in ml, distances in
# mm, Orientation and a second Spacing are computed from. Segmentations made of such images lie
# elsewhere than the scan, and their lesions are of another size.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check torch==2.13.0
venv/bin/python -m pip install -qq --disable-pip-version-check monai==1.6.1 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import Spacing

SHAPE, VOXEL, ORIGIN = (20, 24, 16), (2.0, 1.5, 3.0), (5.0, -7.0, 3.0)
affine = np.diag([*VOXEL, 1.0])
affine[:3, 3] = ORIGIN
own_x = ORIGIN[0] + VOXEL[0] * torch.arange(SHAPE[0], dtype=torch.float32)
volume = own_x[None, :, None, None].expand(1, *SHAPE).contiguous()


def resampled(voxel, recompute):
    """Voxel size, origin, and how far the affine puts voxels from where they say they are."""
    spacing = Spacing(voxel, mode="bilinear", padding_mode="border", recompute_affine=recompute)
    image = spacing(MetaTensor(volume, affine=torch.tensor(affine)))
    seen = image.affine.numpy()
    said = seen[0, 0] * np.arange(image.shape[1]) + seen[0, 3]
    away = np.abs(said[:, None, None] - image[0].numpy()).max()
    return np.diag(seen)[:3].round(3), seen[:3, 3].round(3), away


def words(numbers, between):
    return between.join(f"{number:g}" for number in numbers)


for voxel in ((1.0, 1.0, 1.0), VOXEL):
    size, origin, away = resampled(voxel, recompute=False)
    if not np.array_equal(size, voxel) or not np.array_equal(origin, ORIGIN) or away > 0.01:
        sys.exit(f"changed: without the option {size} mm at {origin}, {away} mm away")
finer, finer_origin, away = resampled((1.0, 1.0, 1.0), recompute=True)
ratio = np.array(SHAPE) / (39, 36, 46)
if not np.allclose(finer, ratio, atol=0.001) or np.abs(finer_origin).max() > 1 or away < 20:
    sys.exit(f"changed: resampled, {finer} mm at {finer_origin}, {away} mm away")
same, same_origin, away = resampled(VOXEL, recompute=True)
if not (same == 1).all() or same_origin.any() or away < 20:
    sys.exit(f"changed: left as it was, {same} mm at {same_origin}, {away} mm away")
print(
    f"as stated: voxels of 1 x 1 x 1 mm at ({words(ORIGIN, ', ')}) are said to be "
    f"{words(finer, ' x ')} mm at ({words(finer_origin, ', ')}), and an image that is left as it "
    f"was to have voxels of {words(same, ' x ')} mm at ({words(same_origin, ', ')}) rather than "
    f"{words(VOXEL, ' x ')} at ({words(ORIGIN, ', ')})"
)
PYTHON
