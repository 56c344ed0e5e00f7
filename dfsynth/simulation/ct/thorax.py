"""A CT volume made ready to be posed: tissue in cubes and how its domes sink."""

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F

from dfsynth.simulation.ct.cavity import outline_cavity
from dfsynth.simulation.ct.completion import complete_body
from dfsynth.simulation.ct.deconvolution import restore_detail
from dfsynth.simulation.ct.lungs import find_body, segment_lungs
from dfsynth.simulation.ct.morphology import Mask
from dfsynth.simulation.ct.resampling import Cubes, cut_into_cubes
from dfsynth.simulation.ct.tissues import BONE, LUNG, LUNG_MASS, SOFT, tissue_fields
from dfsynth.simulation.ct.volume import CtLimits, CtVolume
from dfsynth.simulation.tissue import density_factor

_MARGIN = 3
_NECK_AHEAD_MM = 25.0
_HEART_ROWS = (0.45, 0.75)
_EMPTY_DENSITY = 0.02
_AERATED_DENSITY = 0.5
_STANDING_DENSITIES = (0.05, 0.3)
"""Of parenchyma that is neither destroyed (below −950 HU) nor flooded (above −700 HU)."""
_THINNEST_HEALTHY_DENSITY = 0.12
"""Median at the end of a full breath, lying down, below which a lung as a whole is rarefied
[assumed; −880 HU]."""
_STEEPEST_PER_MM = 0.005


@dataclass(frozen=True, slots=True)
class CtThorax:
    """One segmented volume, cut to the body; kept in memory for all its poses."""

    key: str
    license: str
    sha256: str
    fields: torch.Tensor
    """(5, planes, rows, columns) of `tissue_fields`: to the front, to the feet, to the left."""
    sinking: torch.Tensor
    """(planes, rows, columns) of `Cavity.sinking`, as coarse as `sinking_step` cubes."""
    slope_per_mm: torch.Tensor
    """Of `sinking` with depth, on its cubes."""
    gain_per_mm: float
    """By what share the lungs grow while the domes sink by 1 mm."""
    beam_fields: torch.Tensor
    """`fields` as means over two planes: rays run along them, and sums over them stay true."""
    coarse_fields: torch.Tensor
    """`fields` as means over two cubes a side."""
    presence: torch.Tensor
    """(2, planes, rows, columns): 1 where there is tissue, and where there is lung, on cubes
    four times as wide."""
    mass_profile: torch.Tensor
    """(planes, rows): `LUNG_MASS` added up over the columns."""
    step_mm: float
    lung_box: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
    """First and last cube that holds lung along planes, rows, columns."""
    heart_mm: tuple[float, float, float]
    """Middle of the heart from that of the lungs' box: to the left, to the front, up."""
    neck: tuple[float, float]
    """Plane and column of the neck's axis in the first slice."""
    lumbar: tuple[float, float]
    """Plane and column of the spine in the last slice."""
    crown: torch.Tensor
    """(planes, columns): tissue of the first slice, and between neck and arms."""
    healthy_density: float
    """Of the parenchyma as scanned, had it no disease: the median of what is neither destroyed
    nor flooded, and no less than a healthy lung's [assumed]."""
    scatter_ratio: float
    """Mean coefficient of the aerated parenchyma as scanned over that of a lung of
    `healthy_density` throughout; below 1 where the scan shows emphysema."""
    gravity_per_mm: float
    """Slope of the density's logarithm from the front to the back as scanned, ≥ 0."""
    lungs_cut: bool
    """A little lung lies beyond the volume's first or last slice."""

    def to(self, device: torch.device) -> "CtThorax":
        """The same thorax with its tensors on another device."""
        return replace(
            self,
            fields=self.fields.to(device),
            sinking=self.sinking.to(device),
            slope_per_mm=self.slope_per_mm.to(device),
            beam_fields=self.beam_fields.to(device),
            coarse_fields=self.coarse_fields.to(device),
            presence=self.presence.to(device),
            mass_profile=self.mass_profile.to(device),
            crown=self.crown.to(device),
        )

    @property
    def lung_volume_l(self) -> float:
        """Parenchyma as scanned, in litres."""
        return float(self.fields[LUNG].sum(dtype=torch.float64)) * self.step_mm**3 / 1e6

    @property
    def lung_density(self) -> float:
        """Mean density of the parenchyma as scanned, over water's."""
        return float(self.fields[LUNG_MASS].sum(dtype=torch.float64) / self.fields[LUNG].sum())


def build_thorax(volume: CtVolume, limits: CtLimits) -> CtThorax:
    """Segments a volume: some 10 s of one core.

    Raises:
        ImageError: it does not hold two whole lungs.
    """
    cubes = cut_into_cubes(volume)
    body = find_body(volume.key, cubes)
    # Half of a scan is air and table.
    kept = (_span(body, (1, 2)), slice(None), _span(body, (0, 1)))
    cubes = Cubes(np.ascontiguousarray(cubes.hu[kept]), cubes.step_mm)
    masks = segment_lungs(volume.key, cubes, np.ascontiguousarray(body[kept]), limits)
    cavity = outline_cavity(cubes, masks)
    scan, whole = complete_body(cubes, masks, cavity.spine)
    masks = replace(masks, body=whole)
    fields = tissue_fields(scan, restore_detail(scan, volume.spacing_mm), masks, cavity)
    healthy_density, scatter_ratio, gravity_per_mm = _density_profile(fields, cubes.step_mm)
    sinking = torch.from_numpy(cavity.sinking)
    slope_per_mm = torch.gradient(sinking, spacing=2 * cubes.step_mm, dim=1)[0]
    boxes = (_box(masks.lungs, (1, 2)), _box(masks.lungs, (0, 2)), _box(masks.lungs, (0, 1)))
    return CtThorax(
        key=volume.key,
        license=volume.license,
        sha256=volume.sha256,
        fields=fields,
        sinking=sinking,
        slope_per_mm=slope_per_mm,
        gain_per_mm=_gain_per_mm(fields[LUNG], slope_per_mm),
        beam_fields=_pooled(fields, (2, 1, 1)),
        coarse_fields=_pooled(fields, (2, 2, 2)),
        presence=_presence(fields),
        mass_profile=fields[LUNG_MASS].sum(dim=2),
        step_mm=cubes.step_mm,
        lung_box=boxes,
        heart_mm=_heart_mm(cavity.organs, boxes, cubes.step_mm),
        neck=_neck_axis(cavity.spine, cubes.step_mm),
        lumbar=_spine_axis(cavity.spine, slice(-3, None)),
        crown=_crown(fields),
        healthy_density=healthy_density,
        scatter_ratio=scatter_ratio,
        gravity_per_mm=gravity_per_mm,
        lungs_cut=masks.cut,
    )


def _pooled(fields: torch.Tensor, cubes: tuple[int, int, int]) -> torch.Tensor:
    """Means over about as many `cubes` along each axis, without moving the volume's faces."""
    size = [max(2, n // width) for n, width in zip(fields.shape[1:], cubes, strict=True)]
    return F.adaptive_avg_pool3d(fields, (size[0], size[1], size[2]))


def _presence(fields: torch.Tensor) -> torch.Tensor:
    tissue = fields[SOFT] + fields[BONE] + fields[LUNG]
    return (_pooled(torch.stack([tissue, fields[LUNG]]), (4, 4, 4)) > _EMPTY_DENSITY).float()


def _gain_per_mm(lung: torch.Tensor, slope_per_mm: torch.Tensor) -> float:
    """A thorax whose points sink by d·m(x) has the volume V + d ∫ ∂m/∂depth over the lungs."""
    coarse = F.avg_pool3d(lung[None, None], 2, ceil_mode=True)[0, 0]
    coarse = coarse[tuple(slice(0, n) for n in slope_per_mm.shape)]
    return float((coarse * slope_per_mm).sum() / coarse.sum())


def _heart_mm(
    organs: Mask, lung_box: tuple[tuple[int, int], ...], step_mm: float
) -> tuple[float, float, float]:
    """Middle of what lies between the lungs, halfway down to three quarters of their height."""
    top, bottom = lung_box[1]
    first, last = (round(top + share * (bottom - top)) for share in _HEART_ROWS)
    found = np.argwhere(organs[:, first : last + 1])
    if len(found) == 0:
        return 0.0, 0.0, 0.0
    plane, row, column = found.mean(axis=0) + np.array([0, first, 0])
    middle = [(low + high) / 2 for low, high in lung_box]
    return (
        float(column - middle[2]) * step_mm,
        float(plane - middle[0]) * step_mm,
        float(middle[1] - row) * step_mm,
    )


def _neck_axis(spine: Mask, step_mm: float) -> tuple[float, float]:
    """A little before the vertebra of the highest slices that hold one."""
    plane, column = _spine_axis(spine, slice(0, 3))
    return plane + _NECK_AHEAD_MM / step_mm, column


def _spine_axis(spine: Mask, which: slice) -> tuple[float, float]:
    """Plane and column of the vertebra in some of the slices that hold one."""
    rows = np.flatnonzero(spine.any(axis=(0, 2)))[which]
    if rows.size == 0:
        return spine.shape[0] / 2, spine.shape[2] / 2
    planes, _, columns = np.nonzero(spine[:, rows])
    return float(planes.mean()), float(columns.mean())


def _crown(fields: torch.Tensor) -> torch.Tensor:
    section = (fields[SOFT] + fields[BONE])[:, :2].mean(dim=1).clamp(max=1)
    return F.avg_pool2d(section[None, None], 7, stride=1, padding=3)[0, 0]


def _density_profile(fields: torch.Tensor, step_mm: float) -> tuple[float, float, float]:
    """Healthy density of whole cubes of lung, the mean coefficient of all that is aerated over
    that of healthy lung, and how the logarithm of its density falls to the front."""
    density = fields[LUNG_MASS][:, ::2, ::2].numpy()
    aerated = (fields[LUNG][:, ::2, ::2].numpy() > 0.99) & (density < _AERATED_DENSITY)
    if aerated.sum() < 100:
        return _AERATED_DENSITY, 1.0, 0.0
    planes = np.nonzero(aerated)[0] * step_mm
    slope = np.polyfit(planes, np.log(np.maximum(density[aerated], 0.02)), 1)[0]
    low, high = _STANDING_DENSITIES
    whole = density[aerated & (density > low) & (density < high)]
    median = float(np.median(whole)) if whole.size else _THINNEST_HEALTHY_DENSITY
    healthy = max(median, _THINNEST_HEALTHY_DENSITY)
    walls = density_factor(torch.from_numpy(density[aerated] / healthy))
    scatter_ratio = float(walls.mean() / density_factor(torch.tensor(1.0)))
    return healthy, scatter_ratio, float(np.clip(-slope, 0, _STEEPEST_PER_MM))


def _span(body: Mask, axes: tuple[int, int]) -> slice:
    """The body's extent along the third axis, with a margin."""
    where = np.flatnonzero(body.any(axis=axes))
    return slice(max(int(where[0]) - _MARGIN, 0), int(where[-1]) + 1 + _MARGIN)


def _box(lungs: Mask, axes: tuple[int, int]) -> tuple[int, int]:
    where = np.flatnonzero(lungs.any(axis=axes))
    return int(where[0]), int(where[-1])
