"""The thoracic cavity: what lies between the lungs and below the domes, and how domes descend."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dfsynth.records import Float32Map
from dfsynth.simulation.ct.lungs import LungMasks
from dfsynth.simulation.ct.morphology import (
    Mask,
    convex_hull,
    doubled,
    eroded,
    halved,
    largest,
    opened,
)
from dfsynth.simulation.ct.resampling import Cubes

_BONE_HU = 180.0
_SPINE_BAND_MM = 35.0
_BODY_HALF_WIDTH_MM = 24.0
_ARCH_HALF_WIDTH_MM = 45.0
_VERTEBRA_HALF_WIDTH_MM = 16.0
"""Of a thoracic vertebra's body alone, without the sleeve's tissue beside it [assumed]."""
_HALF_DEPTH_MM = 38.0
_WALL_MM = 12.0
_SHELL_MM = 5.0
_SHEAR_MM = 18.0
"""Over how much of the chest wall, and of the tissue around the spine, the sinking ends."""
_ABDOMEN_MM = 200.0
"""Depth below a dome at which the abdomen sinks half as far."""


@dataclass(frozen=True, slots=True)
class Cavity:
    """Parts that follow from the lungs' outlines, all on cubes of `LungMasks`."""

    organs: Mask
    """Heart, great vessels, mediastinum, and organs below the domes."""
    spine: Mask
    """A sleeve around the vertebrae."""
    vertebral_bodies: Mask
    """The middle of that sleeve's front, without lung. Behind the upper mediastinum, which is thin
    where both lungs reach in front of it, they are what outlines leave lung out for."""
    sinking: Float32Map
    """How far a point sinks when the domes sink by 1, on cubes of twice the edge; 0 to 1."""


def outline_cavity(cubes: Cubes, masks: LungMasks) -> Cavity:
    """The hull of the lungs slice by slice, carried down below the domes."""
    edge_mm = 2 * cubes.step_mm
    lungs = halved(masks.lungs.astype(np.float32)) > 0.5
    body = halved(masks.body.astype(np.float32)) > 0.5
    spine, bodies = _spine_sleeve(halved(cubes.hu), lungs, body, edge_mm)
    inner = _inside(lungs, body, edge_mm)
    # The largest part alone: a dense patch inside a lung is no organ.
    organs = largest(opened(inner & body & ~lungs & ~spine, _SHELL_MM / edge_mm))
    shape = masks.body.shape
    return Cavity(
        organs=doubled(organs, shape) & masks.body & ~masks.lungs,
        spine=doubled(spine, shape),
        vertebral_bodies=doubled(bodies, shape) & masks.body & ~masks.lungs,
        sinking=_sinking(lungs, inner, spine, edge_mm),
    )


def _inside(lungs: Mask, body: Mask, edge_mm: float) -> Mask:
    """Hull of the lungs in each axial slice; below the widest slice never less than above."""
    hulls = np.stack([convex_hull(lungs[:, row]) for row in range(lungs.shape[1])], axis=1)
    widest = int(hulls.sum(axis=(0, 2)).argmax())
    core = eroded(body, _WALL_MM / edge_mm)
    for row in range(widest + 1, hulls.shape[1]):
        hulls[:, row] |= hulls[:, row - 1] & core[:, row]
    return hulls


def _spine_sleeve(hu: Float32Map, lungs: Mask, body: Mask, edge_mm: float) -> tuple[Mask, Mask]:
    """Around each slice's vertebra: narrow about its body in front, wide about its arch.

    The second mask is the vertebra's body alone: what of it lies in front of its middle.
    """
    planes, rows, columns = hu.shape
    with_lung = np.flatnonzero(lungs.any(axis=(0, 2)))
    y, x = np.arange(planes)[:, None], np.arange(columns)[None, :]
    lung_columns = np.flatnonzero(lungs.any(axis=(0, 1)))
    middle_x = (lung_columns[0] + lung_columns[-1]) / 2
    track = np.full((rows, 2), np.nan)
    for row in range(rows):
        front = (np.flatnonzero(body[:, row].any(axis=1)).mean()) if body[:, row].any() else 0
        near = (np.abs(x - middle_x) < _SPINE_BAND_MM / edge_mm) & (y < front)
        bone = np.argwhere((hu[:, row] > _BONE_HU) & near)
        if len(bone) > 8:
            track[row] = bone.mean(axis=0)
    known = np.flatnonzero(np.isfinite(track[:, 0]))
    if known.size == 0:
        back = np.flatnonzero(lungs.any(axis=(1, 2)))[0]
        track[with_lung] = (back + _HALF_DEPTH_MM / edge_mm, middle_x)
        known = with_lung
    centre = np.stack(
        [np.interp(np.arange(rows), known, track[known, axis]) for axis in (0, 1)], axis=1
    )
    centre = ndimage.gaussian_filter1d(
        ndimage.median_filter(centre, size=(11, 1), mode="nearest"), 3, axis=0, mode="nearest"
    )
    dy = (y[:, None, :] - centre[None, :, :1]) * edge_mm
    dx = (x[None, :, :] - centre[None, :, 1:]) * edge_mm
    half_width = np.where(dy > 0, _BODY_HALF_WIDTH_MM, _ARCH_HALF_WIDTH_MM)
    sleeve = np.asarray((dx / half_width) ** 2 + (dy / _HALF_DEPTH_MM) ** 2 < 1) & body
    return sleeve, sleeve & (dy > 0) & (np.abs(dx) < _VERTEBRA_HALF_WIDTH_MM)


def _sinking(lungs: Mask, inner: Mask, spine: Mask, edge_mm: float) -> Float32Map:
    """From 0 at the apex to 1 at the domes, less with depth below them; 0 in wall and spine."""
    rows = lungs.shape[1]
    top = float(np.flatnonzero(lungs.any(axis=(0, 2)))[0])
    seen = lungs.any(axis=1)
    lowest = rows - 1 - lungs[:, ::-1].argmax(axis=1)
    sigma = 20 / edge_mm
    weight = ndimage.gaussian_filter(seen.astype(np.float32), sigma, mode="nearest") + 1e-4
    mean_low = float(lowest[seen].mean())
    base = mean_low + (
        ndimage.gaussian_filter(np.where(seen, lowest - mean_low, 0.0), sigma, mode="nearest")
        / weight
    )
    height = np.maximum(base - top, 40 / edge_mm)[:, None, :]
    below_top = np.arange(rows)[None, :, None] - top
    along = np.clip(below_top / height, 0, 1)
    beneath = np.maximum(below_top - height, 0) * edge_mm
    depth_share = along / (1 + beneath / _ABDOMEN_MM)
    moving = inner | lungs
    wall: NDArray[np.float64] = ndimage.distance_transform_edt(~moving) * edge_mm
    rigid: NDArray[np.float64] = ndimage.distance_transform_edt(~spine) * edge_mm
    free = np.clip(1 - wall / _SHEAR_MM, 0, 1) * np.clip(rigid / _SHEAR_MM, 0, 1)
    return np.asarray(
        ndimage.gaussian_filter((depth_share * free).astype(np.float32), 1.2, mode="nearest"),
        np.float32,
    )
