"""A CT volume made ready to be posed: tissue in cubes and how its domes sink."""

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F

from dfsynth.simulate.ct.cavity import outline_cavity
from dfsynth.simulate.ct.completion import complete_body
from dfsynth.simulate.ct.deconvolution import restore_detail
from dfsynth.simulate.ct.lungs import find_body, segment_lungs
from dfsynth.simulate.ct.morphology import Mask
from dfsynth.simulate.ct.resampling import Cubes, cut_into_cubes
from dfsynth.simulate.ct.tissues import BONE, LUNG, LUNG_MASS, SOFT, tissue_fields
from dfsynth.simulate.ct.volume import CtLimits, CtVolume

_MARGIN = 3
_NECK_AHEAD_MM = 25.0
_EMPTY_DENSITY = 0.02
_AERATED_DENSITY = 0.5
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
    presence: torch.Tensor
    """(planes, rows, columns): where there is tissue, as means over four cubes a side."""
    step_mm: float
    lung_box: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
    """First and last cube that holds lung along planes, rows, columns."""
    neck: tuple[float, float]
    """Plane and column of the neck's axis in the first slice."""
    lumbar: tuple[float, float]
    """Plane and column of the spine in the last slice."""
    crown: torch.Tensor
    """(planes, columns): how much of the first slice is body or lies between neck and arms."""
    healthy_density: float
    """Median density of the parenchyma as scanned, which opacities hardly move."""
    gravity_per_mm: float
    """Slope of the density's logarithm from the front to the back as scanned, ≥ 0."""
    lungs_cut: bool
    """A little lung lies beyond the volume's first or last slice."""

    def to(self, device: torch.device) -> "CtThorax":
        """The same on another device."""
        return replace(
            self,
            fields=self.fields.to(device),
            sinking=self.sinking.to(device),
            presence=self.presence.to(device),
            crown=self.crown.to(device),
        )

    @property
    def lung_volume_l(self) -> float:
        """Parenchyma as scanned, in litres."""
        return float(self.fields[2].sum(dtype=torch.float64)) * self.step_mm**3 / 1e6

    @property
    def lung_density(self) -> float:
        """Mean density of the parenchyma as scanned, over water's."""
        return float(self.fields[3].sum(dtype=torch.float64) / self.fields[2].sum())


def build_thorax(volume: CtVolume, limits: CtLimits) -> CtThorax:
    """Segments a volume: some 10 s of one core.

    Raises:
        ImageError: it does not hold two whole lungs.
        UsageError: scipy is not installed.
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
    healthy_density, gravity_per_mm = _density_profile(fields, cubes.step_mm)
    return CtThorax(
        key=volume.key,
        license=volume.license,
        sha256=volume.sha256,
        fields=fields,
        sinking=torch.from_numpy(cavity.sinking),
        presence=_presence(fields),
        step_mm=cubes.step_mm,
        lung_box=(_box(masks.lungs, (1, 2)), _box(masks.lungs, (0, 2)), _box(masks.lungs, (0, 1))),
        neck=_neck_axis(cavity.spine, cubes.step_mm),
        lumbar=_spine_axis(cavity.spine, slice(-3, None)),
        crown=_crown(whole),
        healthy_density=healthy_density,
        gravity_per_mm=gravity_per_mm,
        lungs_cut=masks.cut,
    )


def _presence(fields: torch.Tensor) -> torch.Tensor:
    tissue = fields[SOFT] + fields[BONE] + fields[LUNG]
    size = [max(1, n // 4) for n in tissue.shape]
    mean = F.adaptive_avg_pool3d(tissue[None], (size[0], size[1], size[2]))[0]
    return (mean > _EMPTY_DENSITY).float()


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


def _crown(body: Mask) -> torch.Tensor:
    section = torch.from_numpy(body[:, :2].mean(axis=1, dtype=np.float32))
    return F.avg_pool2d(section[None, None], 7, stride=1, padding=3)[0, 0]


def _density_profile(fields: torch.Tensor, step_mm: float) -> tuple[float, float]:
    """Median density of whole cubes of aerated lung, and how its logarithm falls to the front."""
    density = fields[LUNG_MASS][:, ::2, ::2].numpy()
    aerated = (fields[LUNG][:, ::2, ::2].numpy() > 0.99) & (density < _AERATED_DENSITY)
    if aerated.sum() < 100:
        return _AERATED_DENSITY, 0.0
    planes = np.nonzero(aerated)[0] * step_mm
    slope = np.polyfit(planes, np.log(np.maximum(density[aerated], 0.02)), 1)[0]
    return float(np.median(density[aerated])), float(np.clip(-slope, 0, _STEEPEST_PER_MM))


def _span(body: Mask, axes: tuple[int, int]) -> slice:
    """The body's extent along the third axis, with a margin."""
    where = np.flatnonzero(body.any(axis=axes))
    return slice(max(int(where[0]) - _MARGIN, 0), int(where[-1]) + 1 + _MARGIN)


def _box(lungs: Mask, axes: tuple[int, int]) -> tuple[int, int]:
    where = np.flatnonzero(lungs.any(axis=axes))
    return int(where[0]), int(where[-1])
