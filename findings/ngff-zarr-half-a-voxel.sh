#!/usr/bin/env bash
# ngff-zarr: three of its methods write pyramids whose levels lie elsewhere than the file says, by
# up to half a voxel of the level.
#
# Versions: ngff-zarr 0.50.0, dask-image 2026.5.0, dask 2026.8.0, itk-filtering 5.4.7, itkwasm
# 1.0b201, itkwasm-downsample 2.0.2 (and -wasi), zarr 3.1.6, numpy 2.4.6.
#
# Input: a volume of 64 voxels of 2 mm along x, the first at 5 mm, in which every voxel holds its
# own x in mm, so that each level can be asked where it lies. Written as OME-Zarr with levels of 2,
# 4 and 8 times the voxel size, by five methods for images and by the nearest neighbour for labels.
#
# Expected: ngff-zarr documents the translation as the place of the centre of the first voxel.
# Smoothing and averaging leave a ramp as it is, so that away from the borders values are the
# positions that the file says. The nearest neighbour is off by no more than half a voxel of the
# original, 1 mm.
#
# Seen: all methods write the same translation, that of the middle of 2, 4 or 8 voxels. Right are
# the default ITKWASM_GAUSSIAN and the means of blocks (BIN_SHRINK). DASK_IMAGE_GAUSSIAN,
# ITK_GAUSSIAN ("similar to ITKWASM_GAUSSIAN") and DASK_IMAGE_NEAREST take the sample at the first
# of these voxels: what they show at x belongs to x - 1, x - 3 and x - 7 mm. Along y and z it is the
# same. Nothing is said.
#
# Output: as stated: levels of 4, 8 and 16 mm lie off by 1 3 7 mm with DASK_IMAGE_GAUSSIAN, 1 3 7
# with ITK_GAUSSIAN, 1 3 7 with DASK_IMAGE_NEAREST, 0 0 0 with ITKWASM_GAUSSIAN, 0 0 0 with
# ITKWASM_BIN_SHRINK, 0 0 0 with DASK_BIN_SHRINK
#
# Why it matters: registrations start on a coarse level and go on to finer ones, and masks have a
# pyramid of their own, by another method than the image: for labels, a Gaussian makes no sense.
# Labels by nearest neighbour lie beside the organ by seven millimetres along each axis on the
# coarsest level here, and the picture jumps where a viewer changes levels.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check ngff-zarr==0.50.0 \
    dask-image==2026.5.0 dask==2026.8.0 itk-filtering==5.4.7 itkwasm==1.0b201 \
    itkwasm-downsample==2.0.2 itkwasm-downsample-wasi==2.0.2 zarr==3.1.6 numpy==2.4.6
venv/bin/python -W ignore - <<'PYTHON'
import sys

import ngff_zarr
import numpy as np
import zarr

AXES = ("z", "y", "x")
AWAY = {
    "DASK_IMAGE_GAUSSIAN": (1, 3, 7),
    "ITK_GAUSSIAN": (1, 3, 7),
    "DASK_IMAGE_NEAREST": (1, 3, 7),
    "ITKWASM_GAUSSIAN": (0, 0, 0),
    "ITKWASM_BIN_SHRINK": (0, 0, 0),
    "DASK_BIN_SHRINK": (0, 0, 0),
}
own_x = 5 + 2 * np.arange(64, dtype=np.float32)
volume = np.broadcast_to(own_x, (64, 64, 64)).copy()


def differences(method):
    """By level: what a voxel says that its x is, less what the file says, in mm."""
    image = ngff_zarr.to_ngff_image(
        volume,
        dims=AXES,
        scale=dict.fromkeys(AXES, 2.0),
        translation=dict.fromkeys(AXES, 5.0),
    )
    pyramid = ngff_zarr.to_multiscales(
        image, scale_factors=[2, 4, 8], method=ngff_zarr.Methods[method], chunks=64, cache=False
    )
    path = f"{method}.ome.zarr"
    ngff_zarr.to_ngff_zarr(path, pyramid, version="0.5")
    group = zarr.open_group(path, mode="r")
    found = []
    for level in group.attrs["ome"]["multiscales"][0]["datasets"]:
        steps = {step["type"]: step for step in level["coordinateTransformations"]}
        scale, translation = steps["scale"]["scale"][2], steps["translation"]["translation"][2]
        values = group[level["path"]][:]
        middle = values.shape[0] // 2, values.shape[1] // 2, 4
        found.append(float(values[middle]) - (4 * scale + translation))
    if found.pop(0) != 0:
        sys.exit(f"changed: {method} moves the image itself")
    return found


for method, away in AWAY.items():
    seen = differences(method)
    if np.abs(np.add(seen, away)).max() > 0.1:
        sys.exit(f"changed: with {method} levels are off by {seen} mm")


def words(method):
    return " ".join(str(number) for number in AWAY[method])


first, *others = AWAY
print(
    f"as stated: levels of 4, 8 and 16 mm lie off by {words(first)} mm with {first}, "
    + ", ".join(f"{words(method)} with {method}" for method in others)
)
PYTHON
