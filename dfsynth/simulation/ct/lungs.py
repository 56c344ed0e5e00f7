"""Body, airways and lungs in a CT volume, and whether the lungs are there as a whole."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dfsynth.errors import ErrorCode, ImageError
from dfsynth.records import Float32Map
from dfsynth.simulation.ct.morphology import (
    Mask,
    closed,
    components,
    dilated,
    doubled,
    enclosed,
    eroded,
    filled,
    halved,
    largest,
    opened,
)
from dfsynth.simulation.ct.resampling import Cubes
from dfsynth.simulation.ct.volume import CtLimits
from dfsynth.simulation.volumes import refusal

_SKIN_HU = -300.0
_AERATED_HU = -400.0
"""Halfway between aerated lung and soft tissue."""
_LUMEN_HU = tuple(range(-970, -840, 20))
_MOST_AIRWAY_ML = 110.0
_LEAST_AIRWAY_ML = 4.0
_MOST_SEEDS = 12
_TABLE_MM = 7.0
_CLOSING_MM = 11.0
"""Vessels, nodules and consolidation narrower than twice this inside a lung belong to it."""
_LEAST_LUNG_ML = 300.0
_OUTER_AIR_HU = -975.0
_BOWEL_DEPTH = 0.6
"""How far down the larger lung another lung may begin, over the larger lung's height."""
_GAS_MM = 8.0
_LEAST_GAS_ML = 8.0
_LUMEN_SIGMA = 0.7
"""Cubes by which noise is blurred before a threshold follows the airway."""


@dataclass(frozen=True, slots=True)
class LungMasks:
    """Where the parts lie, all (planes, rows, columns) on the cubes."""

    body: Mask
    """The trunk with all it holds; no table, no clothes, no arms that lie apart."""
    airway: Mask
    """Lumen of the trachea and the main bronchi."""
    right: Mask
    left: Mask
    cut: bool
    """Some lung lies beyond the first or the last slice."""

    @property
    def lungs(self) -> Mask:
        """Both lungs, (planes, rows, columns)."""
        return np.asarray(self.right | self.left)


def find_body(key: str, cubes: Cubes) -> Mask:
    """The largest part that is thicker than a table top, with its holes.

    Raises:
        ImageError: there is none.
    """
    coarse = halved(cubes.hu)
    solid = coarse > _SKIN_HU
    core = largest(opened(solid, _TABLE_MM / (2 * cubes.step_mm)))
    # The opening loses thin parts of the chest's wall; its surroundings take them back.
    trunk = filled(dilated(core, 2.0) & solid)
    near = doubled(dilated(trunk, 1.0), cubes.hu.shape)
    inside = doubled(eroded(trunk, 1.0), cubes.hu.shape)
    body = np.asarray((near & (cubes.hu > _SKIN_HU - 300)) | inside)
    if body.mean() < 0.01:
        raise refusal(ErrorCode.UNSUPPORTED_FORMAT, key, "no body found in it")
    return body


def segment_lungs(key: str, cubes: Cubes, body: Mask, limits: CtLimits) -> LungMasks:
    """Thresholds, connection and shape within `body`, that of `find_body`.

    Raises:
        ImageError: there are no lungs, one lung, or lungs that the volume cuts off.
    """
    air = (cubes.hu < _AERATED_HU) & body
    airway = _airway(cubes, body)
    wall = ndimage.binary_dilation(airway) | _gas(air, cubes)
    aerated = _aerated_lung(key, air & ~wall, cubes)
    right, left = _sides(key, aerated)
    _check_sizes(key, right, left, cubes.step_mm)
    right, left = _with_inner_tissue(right, left, wall, body, cubes)
    cut = _check_whole(key, right | left, limits)
    return LungMasks(body, airway, right, left, cut)


def _airway(cubes: Cubes, body: Mask) -> Mask:
    """Grown from the trachea's highest slices, with the last threshold before it leaks."""
    smooth = ndimage.gaussian_filter(cubes.hu, _LUMEN_SIGMA)
    seeds = _trachea_seeds(smooth, body, cubes.step_mm)
    voxel_ml = cubes.step_mm**3 / 1000
    found = np.zeros_like(body)
    for threshold in _LUMEN_HU if seeds else ():
        labels, sizes = components((smooth < threshold) & body)
        grown = [labels[seed] for seed in seeds if labels[seed]]
        volumes_ml = [sizes[label] * voxel_ml for label in grown]
        fitting = [
            (volume, label)
            for volume, label in zip(volumes_ml, grown, strict=True)
            if volume < _MOST_AIRWAY_ML
        ]
        # A seed that flows into the lungs was the trachea's; what is left are air bubbles.
        if len(fitting) < len(grown) and found.sum() * voxel_ml > _LEAST_AIRWAY_ML:
            break
        if fitting:
            found = labels == max(fitting)[1]
    return found


def _trachea_seeds(smooth: Float32Map, body: Mask, step_mm: float) -> list[tuple[int, int, int]]:
    """Voxels that may be the trachea's: round spots of air near the midline in high slices."""
    air = (smooth < _LUMEN_HU[-1]) & body
    seeds: list[tuple[int, int, int]] = []
    for row in range(0, air.shape[1] // 2, 2):
        columns = np.flatnonzero(body[:, row].any(axis=0))
        labels, count = ndimage.label(air[:, row])
        for label, box in zip(range(1, count + 1), ndimage.find_objects(labels), strict=True):
            spot = labels[box] == label
            area_mm2, sides = spot.sum() * step_mm**2, spot.shape
            y, x = (int(v) for v in ndimage.center_of_mass(labels == label))
            central = abs(x - (columns[0] + columns[-1]) / 2) * step_mm < 40
            compact = max(sides) < 2.5 * min(sides) and spot.mean() > 0.5 and labels[y, x] == label
            if 60 < area_mm2 < 800 and central and compact:
                seeds.append((y, row, x))
        if len(seeds) >= _MOST_SEEDS:
            break
    return seeds


def _gas(air: Mask, cubes: Cubes) -> Mask:
    """Gas of stomach and bowel that only a thin wall parts from the lungs, with that wall.

    Large, low and as empty as free air, where lung is not.
    """
    coarse, hu = halved(air.astype(np.float32)) > 0.5, halved(cubes.hu)
    inside = largest(coarse)
    if not inside.any():
        return np.zeros_like(air)
    empty = inside & (hu < (float(np.median(hu[inside])) - 1000) / 2)
    pockets, sizes = components(opened(empty, _GAS_MM / (2 * cubes.step_mm)))
    rows = np.flatnonzero(inside.any(axis=(0, 2)))
    lowest = rows[0] + _BOWEL_DEPTH * (rows[-1] - rows[0])
    gas = np.zeros_like(coarse)
    for label in np.flatnonzero(sizes * (2 * cubes.step_mm) ** 3 / 1000 > _LEAST_GAS_ML):
        pocket = pockets == label
        if np.flatnonzero(pocket.any(axis=(0, 2)))[0] > lowest:
            gas |= pocket
    return doubled(dilated(gas, 2.0), air.shape)


def _aerated_lung(key: str, air: Mask, cubes: Cubes) -> Mask:
    """The large parts of the air inside the body that are lung and not bowel."""
    labels, sizes = components(air)
    voxel_ml = cubes.step_mm**3 / 1000
    kept: list[int] = []
    span = (0, 0)
    for label in np.argsort(sizes)[::-1][:6]:
        if sizes[label] * voxel_ml < _LEAST_LUNG_ML:
            break
        rows = np.flatnonzero((labels == label).any(axis=(0, 2)))
        if not kept:
            span = (int(rows[0]), int(rows[-1]))
        # Gas in the bowel or the stomach lies lower than both lungs.
        elif (rows[0] - span[0]) > _BOWEL_DEPTH * (span[1] - span[0]):
            continue
        kept.append(int(label))
    if not kept:
        raise _without_lungs(key, cubes)
    return np.isin(labels, kept)


def _without_lungs(key: str, cubes: Cubes) -> ImageError:
    """Tells a volume that cuts its lungs open from one that holds none."""
    labels, sizes = components((cubes.hu > _OUTER_AIR_HU) & (cubes.hu < _AERATED_HU))
    if sizes.max() * cubes.step_mm**3 / 1000 > _LEAST_LUNG_ML:
        part = labels == sizes.argmax()
        for name, face in _faces(part):
            if face.any():
                return _cut_off(key, name)
    return refusal(
        ErrorCode.UNSUPPORTED_FORMAT,
        key,
        f"no lungs found in it: nothing larger than {_LEAST_LUNG_ML:.0f} ml inside the body is "
        "aerated",
    )


def _faces(part: Mask) -> tuple[tuple[str, Mask], ...]:
    return (
        ("right", part[:, :, 0]),
        ("left", part[:, :, -1]),
        ("back", part[0]),
        ("front", part[-1]),
    )


def _cut_off(key: str, side: str) -> ImageError:
    return refusal(
        ErrorCode.UNSUPPORTED_FORMAT,
        key,
        f"its lungs are cut off at the volume's {side} side; two whole lungs are needed",
    )


def _sides(key: str, lung: Mask) -> tuple[Mask, Mask]:
    """The patient's right and left lung, parted where they touch."""
    coarse = halved(lung.astype(np.float32)) > 0.5
    for radius in (0, 1, 1.5, 2, 3, 4, 5, 7):
        core = eroded(coarse, radius) if radius else coarse
        labels, sizes = components(core)
        first, second = np.argsort(sizes)[::-1][:2] if len(sizes) > 2 else (0, 0)
        if sizes[second] > 0.25 * sizes[first] > 0:
            break
    else:
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT, key, "one lung only is in it; two whole lungs are needed"
        )
    columns = np.arange(core.shape[2])
    centres = [((labels == n).sum(axis=(0, 1)) * columns).sum() / sizes[n] for n in (first, second)]
    right, left = (first, second) if centres[0] < centres[1] else (second, first)
    markers = np.where(labels == right, 1, np.where(labels == left, 2, 0)).astype(np.int32)
    nearest = ndimage.distance_transform_edt(
        markers == 0, return_distances=False, return_indices=True
    )
    side = doubled(markers[tuple(nearest)] == 1, lung.shape)
    return lung & side, lung & ~side


def _check_sizes(key: str, right: Mask, left: Mask, step_mm: float) -> None:
    volumes = [float(side.sum()) * step_mm**3 / 1000 for side in (right, left)]
    if min(volumes) < 0.2 * max(volumes):
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            f"its lungs hold {volumes[0]:.0f} ml (right) and {volumes[1]:.0f} ml (left); two "
            "whole lungs are needed",
        )


def _with_inner_tissue(
    right: Mask, left: Mask, wall: Mask, body: Mask, cubes: Cubes
) -> tuple[Mask, Mask]:
    """Each lung with the vessels and dense patches that it surrounds."""
    sides = []
    for side in (right, left):
        coarse = halved(side.astype(np.float32)) > 0.4
        inner = eroded(enclosed(closed(coarse, _CLOSING_MM / (2 * cubes.step_mm))), 1.0)
        sides.append(side | (doubled(inner, side.shape) & body & ~wall))
    return sides[0] & ~sides[1], sides[1] & ~right


def _check_whole(key: str, lungs: Mask, limits: CtLimits) -> bool:
    """Whether the lungs reach the first or last slice a little; refuses more than that."""
    for name, face in _faces(lungs):
        if face.any():
            raise _cut_off(key, name)
    areas = lungs.sum(axis=(0, 2))
    shares: NDArray[np.float64] = areas[[0, -1]] / areas.max()
    for name, share in zip(("first", "last"), shares, strict=True):
        if share > limits.most_cut_share:
            raise refusal(
                ErrorCode.UNSUPPORTED_FORMAT,
                key,
                f"its lungs are cut off at the {name} slice, which holds {share:.0%} of their "
                f"largest cross-section; at most {limits.most_cut_share:.0%} is accepted",
            )
    return bool((shares > 0.01).any())
