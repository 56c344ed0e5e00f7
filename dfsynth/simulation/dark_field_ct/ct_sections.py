"""One row of a segmented volume as a section, with its parenchyma told from small vessels."""

from typing import Final

import numpy as np
import torch
from scipy import ndimage

from dfsynth.records import Float32Map
from dfsynth.simulation.ct import CtThorax
from dfsynth.simulation.ct.morphology import components
from dfsynth.simulation.ct.tissues import LUNG, LUNG_MASS, SOFT
from dfsynth.simulation.dark_field_ct.sections import Section
from dfsynth.simulation.tissue import REFERENCE_DENSITY

_BLOOD_DENSITY: Final = 1.06
_AROUND_MM: Final = 6.0
_VESSEL_EXCESS: Final = 0.06
"""Density over that of the parenchyma around, over water's, from which a vessel is in a pixel:
above the noise that segmented volumes keep [assumed]."""
_LEAST_PART_MM2: Final = 150.0
_SOME: Final = 0.02


def cut_thorax(thorax: CtThorax, row: int) -> Section:
    """The section of a segmented volume at one of its rows, the back below.

    In projections a small vessel is lost among the parenchyma along the ray; in a slice, taken for
    dense parenchyma, it would shine. So what is denser than its surroundings is split into
    parenchyma as around and blood, and rings of partial volume around airways count as wall; the
    mass stays.
    """
    fields = thorax.fields[:, :, row].flip(1).cpu().numpy().copy()
    _drop_small_parts(fields, thorax.step_mm)
    _split_vessels(fields, thorax.step_mm)
    return Section(
        fields=torch.from_numpy(fields).to(thorax.fields.device),
        step_mm=thorax.step_mm,
        inflation=min(1.0, REFERENCE_DENSITY / thorax.healthy_density),
        healthy_density=thorax.healthy_density,
    )


def _drop_small_parts(fields: Float32Map, step_mm: float) -> None:
    """Parts of the lung, of a section's `fields`, that are too small to be seen as such."""
    labels, sizes = components(fields[LUNG] > _SOME)
    small = (sizes * step_mm**2 < _LEAST_PART_MM2)[labels]
    fields[SOFT][small] += fields[LUNG_MASS][small]
    fields[LUNG][small] = fields[LUNG_MASS][small] = 0


def _split_vessels(fields: Float32Map, step_mm: float) -> None:
    """Blood out of the parenchyma of a section's `fields`."""
    share, mass = fields[LUNG], fields[LUNG_MASS]
    density = mass / np.maximum(share, _SOME)
    sigma = _AROUND_MM / step_mm
    around = _local_density(share, mass, sigma)
    # Once more without the vessels themselves.
    clear = density < around + _VESSEL_EXCESS
    around = _local_density(share * clear, mass * clear, sigma)
    vessel = np.where(
        (density > around + _VESSEL_EXCESS) & (around > 0),
        np.clip((density - around) / np.maximum(_BLOOD_DENSITY - around, 0.1), 0, 1),
        0,
    )
    left = share * (1 - vessel)
    kept = np.where(vessel > 0, left * np.minimum(around, density), mass)
    fields[SOFT] += mass - kept
    fields[LUNG], fields[LUNG_MASS] = left, kept


def _local_density(share: Float32Map, mass: Float32Map, sigma: float) -> Float32Map:
    """Mean density of the parenchyma around each pixel (y, x); 0 where there is none."""
    total = ndimage.gaussian_filter(share, sigma)
    mean = ndimage.gaussian_filter(mass, sigma) / np.maximum(total, 1e-6)
    return np.asarray(np.where(total > 1e-3, mean, 0), np.float32)
