"""Hounsfield units and masks → what each cube holds: soft tissue, bone, lung, its density."""

import numpy as np
import torch
from scipy import ndimage

from dfsynth.records import Float32Map
from dfsynth.simulation.ct.cavity import Cavity
from dfsynth.simulation.ct.lungs import LungMasks
from dfsynth.simulation.ct.morphology import Mask, components
from dfsynth.simulation.ct.resampling import Cubes

SOFT, BONE, COVER, LUNG, LUNG_MASS = range(5)
"""Channels of the fields: those of `Slab`, but the lung's density times its share."""

CORTICAL_HU = 1600.0
"""Of compact bone, density 1.92, in a CT at 120 kVp [derived: its attenuation over water's is
2.6 at 70 keV]."""
MIXTURE_HU = 100.0
MARROW_HU = 0.0
"""Of what fills a bone between its cortex and its trabeculae, half of it fat [assumed]."""
_SKELETON_HU = 160.0
_LEAST_BONE_MM3 = 500.0
ORGAN_HU = 60.0
"""Above it an organ or a vessel of the lung holds contrast agent, which radiographs lack."""
_TISSUE_HU = 50.0
_BLOOD_HU = 40.0
_OPENING_MM = 12.0
_LEAST_CONTRAST_HU = 180.0
_LEAST_VESSEL_SHARE = 0.25
_LEAST_VESSEL_MM3 = 60.0
_SEEN_SIGMA = 0.7
_AROUND_MM = 5.0
_LEAST_NOISE_HU = 10.0
_OPAQUE_HU = -250.0
"""Background above which parenchyma and vessel cannot be told apart."""


def tissue_fields(scan: Cubes, cubes: Cubes, masks: LungMasks, cavity: Cavity) -> torch.Tensor:
    """(5, planes, rows, columns) float32, channels SOFT, BONE, COVER, LUNG, LUNG_MASS.

    `scan` holds the values as scanned, `cubes` the same with restored detail. Outside lung: soft
    density 1 + HU/1000 up to +100 HU, a mixture with cortical bone above (docs/simulator.md, The
    physics), and in the skeleton a mixture of marrow and cortical bone at every value: cortex is
    thinner than a cube, whose HU say how much of it there is. Inside: parenchyma where no vessel
    is; a cube that lung shares with a vessel or with the chest wall is split so that the mass stays
    that of its HU.
    """
    opaque = (cavity.organs & ~cavity.spine) | masks.lungs
    hu = np.where(opaque, np.minimum(cubes.hu, ORGAN_HU), cubes.hu)
    density = np.clip(1 + hu / 1000, 0, None)
    base = np.where(_skeleton(hu, cubes.step_mm) & ~opaque, MARROW_HU, MIXTURE_HU).astype(
        np.float32
    )
    bone = np.clip((hu - base) / (CORTICAL_HU - base), 0, 1)
    soft = np.where(hu > base, (1 - bone) * (1 + base / 1000), density)
    parenchyma, share = _parenchyma(scan, cubes, masks)
    rest = np.where(share > 0, np.maximum(np.minimum(density, 1.1) - share * parenchyma, 0), soft)
    full = share >= 1
    cover = cavity.organs | cavity.vertebral_bodies
    fields = np.stack(
        [
            np.where(full, 0, rest) * masks.body,
            np.where(share > 0, 0, bone) * masks.body,
            ndimage.gaussian_filter(cover.astype(np.float32), 0.7),
            share,
            share * parenchyma,
        ]
    )
    return torch.from_numpy(np.ascontiguousarray(fields, np.float32))


def _skeleton(hu: Float32Map, step_mm: float) -> Mask:
    """Bones with the cubes around them, which hold a part of their cortex."""
    labels, sizes = components(hu > _SKELETON_HU)
    bones = (sizes > _LEAST_BONE_MM3 / step_mm**3)[labels]
    return np.asarray(ndimage.binary_dilation(bones))


def noise_hu(cubes: Cubes, cover: Mask) -> float:
    """Standard deviation of the noise in HU, by differences in homogeneous organs.

    Between cubes two apart: direct neighbours share noise when they were interpolated.
    """
    step = cubes.hu[:, :, 2:] - cubes.hu[:, :, :-2]
    inside = cover[:, :, 2:] & cover[:, :, :-2] & (np.abs(cubes.hu[:, :, 2:] - 50) < 250)
    values = np.abs(step[inside])
    # Median of |difference of two| = 0.6745 · √2 · sigma.
    return float(np.median(values) / 0.954) if values.size else 30.0


def _parenchyma(scan: Cubes, cubes: Cubes, masks: LungMasks) -> tuple[Float32Map, Float32Map]:
    """Density of the parenchyma, as far as it stands out of noise, and its share of each cube."""
    lungs = masks.lungs
    noise = noise_hu(scan, masks.body & ~lungs)
    vessel = _vessel_mask(cubes, lungs, noise)
    core = ndimage.binary_erosion(lungs & ~vessel)
    level = _masked_mean(cubes.hu, core, 5.0 / cubes.step_mm)
    contrast = np.maximum(_TISSUE_HU - level, 1)
    partial = np.clip((_BLOOD_HU - cubes.hu) / np.maximum(_BLOOD_HU - level, 1), 0, 1)
    clear = level < _OPAQUE_HU
    # The rim: a layer of cubes on each side of the lungs' outline, and around vessels.
    outer = ndimage.binary_dilation(lungs) & ~lungs & masks.body & ~masks.airway
    airy_wall = ndimage.binary_dilation(masks.airway, iterations=2)
    rim = (lungs & ~ndimage.binary_erosion(lungs)) | (outer & ~airy_wall)
    split = clear & (rim | (ndimage.binary_dilation(vessel) & lungs)) & (contrast > 1)
    share = np.where(split, partial, lungs.astype(np.float32))
    share = np.where(vessel & ~clear & (cubes.hu > _OPAQUE_HU), lungs, share)
    share = np.where(masks.airway, 0, share)
    fine = _detailed(scan, cubes, lungs & ~split & ~masks.airway, noise)
    density = np.where(split, level, fine)
    return (
        np.asarray(np.clip(1 + density / 1000, 0.01, 1.05), np.float32),
        np.asarray(share, np.float32),
    )


def _detailed(scan: Cubes, cubes: Cubes, inner: Mask, noise: float) -> Float32Map:
    """HU of parenchyma: sharp where small vessels stand out of the noise, smooth elsewhere."""
    smooth = _masked_mean(scan.hu, inner, _smoothing(noise))
    if not inner.any():
        return smooth
    seen = _masked_mean(scan.hu, inner, _SEEN_SIGMA)
    around = _masked_mean(scan.hu, inner, _AROUND_MM / scan.step_mm)
    above = seen - around
    # Vessels are few: the median tells the noise that is left, whatever its correlation.
    left = max(float(np.median(np.abs(above[inner]))) / 0.6745, _LEAST_NOISE_HU)
    kept = np.clip((np.abs(above) / left - 3) / 2, 0, 1)
    return np.asarray(smooth + kept * np.where(inner, cubes.hu - smooth, 0), np.float32)


def _smoothing(noise: float) -> float:
    """Gaussian sigma in cubes that leaves some 15 HU of noise [assumed]; at least 0.5."""
    # White noise falls by (2 √π sigma)^(3/2) in three dimensions.
    return float(np.clip((noise / 15) ** (2 / 3) / (2 * np.sqrt(np.pi)), 0.5, 2.0))


def _vessel_mask(cubes: Cubes, lungs: Mask, noise: float) -> Mask:
    """What stands out of its surroundings, is thinner than an opening's width, and not tiny."""
    values = ndimage.gaussian_filter(np.where(lungs, cubes.hu, -850).astype(np.float32), 0.5)
    width = 2 * round(_OPENING_MM / (2 * cubes.step_mm)) + 1
    background = ndimage.grey_opening(values, size=(width,) * 3)
    contrasting = lungs & (values - background > max(_LEAST_CONTRAST_HU, 4 * noise))
    tall = contrasting & (
        cubes.hu - background > _LEAST_VESSEL_SHARE * np.maximum(_BLOOD_HU - background, 1)
    )
    labels, sizes = components(tall)
    return np.asarray((sizes * cubes.step_mm**3 > _LEAST_VESSEL_MM3)[labels])


def _masked_mean(values: Float32Map, mask: Mask, sigma: float) -> Float32Map:
    """Gaussian mean over the cubes of `mask` alone, also for the cubes outside it."""
    blur = ndimage.gaussian_filter
    weight = blur(mask.astype(np.float32), sigma) + np.float32(1e-5)
    mean = float(values[mask].mean()) if mask.any() else -850.0
    total = blur(np.where(mask, values - mean, 0).astype(np.float32), sigma)
    return np.asarray(total / weight + mean, np.float32)
