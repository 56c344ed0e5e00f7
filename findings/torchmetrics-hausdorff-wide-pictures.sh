#!/usr/bin/env bash
# torchmetrics: the Hausdorff distance is right only for square pictures; in wider ones that of a
# mask from itself is not 0.
#
# Versions: torchmetrics 1.9.0, torch 2.13.0, scipy 1.17.1, numpy 2.4.6.
#
# Input: two masks, squares of 8 x 8 pixels at the same height, the second 2 pixels further to the
# right, in a picture of 104 x 104 pixels and in one of 100 x 104 (rows x columns), which lacks four
# empty rows at the bottom.
#
# Expected: by the documentation it is how far a point of one surface can be from the nearest of the
# other, and no shape is asked of the picture. Empty rows far away from both change nothing: it is 2
# pixels, and that of a mask from itself 0, as by its definition with the distance transform of
# scipy.
#
# Seen: in the square picture it is so. In the wider one the distances are 58 and 56. The distance
# transform, which is documented for itself, puts each distance into place by row times height plus
# column, where it should be row times width plus column. So each pixel is told the distance of one
# that lies to the right by its row times the difference of width and height: 4 x 14 pixels for the
# last row of the mask. Spacing changes nothing in this. engine="scipy" is right, but
# hausdorff_distance and HausdorffDistance have no way to ask for it. Pictures that are higher than
# wide end with an IndexError.
#
# Output: as stated: masks 2 pixels apart have a distance of 2.0 in 104 x 104 pixels and 58.0 in 100
# x 104, a mask and itself 0.0 and 56.0
#
# Why it matters: most radiographs, and slices after cropping, are not square. The number looks like
# that of a bad segmentation, and grows with how far down the organ lies. Not even a perfect
# segmentation gets 0: thresholds, early stopping and comparisons between pictures go by their
# shape.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check torch==2.13.0
venv/bin/python -m pip install -qq --disable-pip-version-check torchmetrics==1.9.0 scipy==1.17.1 \
    numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys

import numpy as np
import torch
from scipy.ndimage import binary_erosion, distance_transform_edt
from torchmetrics.functional.segmentation import hausdorff_distance
from torchmetrics.functional.segmentation.utils import distance_transform
from torchmetrics.segmentation import HausdorffDistance

OPTIONS = {"num_classes": 1, "include_background": True}
SQUARE, WIDE, HIGH = (104, 104), (100, 104), (104, 100)


def picture(shape, left):
    """A mask of 8 x 8 pixels below 6 empty rows and right of `left` empty columns."""
    mask = np.zeros(shape, bool)
    mask[6:14, left : left + 8] = True
    return mask


def by_definition(mask, other, spacing):
    first, second = (part & ~binary_erosion(part) for part in (mask, other))
    return max(
        distance_transform_edt(~target, sampling=spacing)[edge].max()
        for edge, target in ((first, second), (second, first))
    )


def by_torchmetrics(mask, other, spacing):
    masks = [torch.from_numpy(part)[None, None].int() for part in (mask, other)]
    found = hausdorff_distance(*masks, spacing=spacing, **OPTIONS).item()
    if HausdorffDistance(spacing=spacing, **OPTIONS)(*masks).item() != found:
        sys.exit("changed: the class does not say what the function says")
    return found


seen = {}
for shape in (SQUARE, WIDE):
    for moved, wrong in ((2, 58.0), (0, 56.0)):
        for spacing in ([1.0, 1.0], [3.0, 1.0]):
            masks = picture(shape, 10), picture(shape, 10 + moved)
            right, found = by_definition(*masks, spacing), by_torchmetrics(*masks, spacing)
            if right != moved or found != (moved if shape == SQUARE else wrong):
                sys.exit(f"changed: {found} for {moved} pixels in {shape}, spacing {spacing}")
        if by_torchmetrics(*masks, None) != found:
            sys.exit(f"changed: another distance in {shape} without a spacing")
        seen[shape, moved] = found
try:
    by_torchmetrics(picture(HIGH, 10), picture(HIGH, 12), None)
    sys.exit(f"changed: no error in {HIGH}")
except IndexError:
    pass
for shape in (SQUARE, WIDE):
    mask = picture(shape, 10)
    right = distance_transform_edt(~mask)
    for engine in ("pytorch", "scipy"):
        found = np.asarray(distance_transform(torch.from_numpy(~mask), engine=engine))
        if np.allclose(found, right) != (shape == SQUARE or engine == "scipy"):
            sys.exit(f"changed: distance_transform in {shape} by {engine}")
print(
    f"as stated: masks 2 pixels apart have a distance of {seen[SQUARE, 2]} in 104 x 104 pixels and "
    f"{seen[WIDE, 2]} in 100 x 104, a mask and itself {seen[SQUARE, 0]} and {seen[WIDE, 0]}"
)
PYTHON
