"""What a supine scan has and a standing chest has not, or the other way round.

Raised arms leave hollows beside the neck where a radiograph shows shoulders; contrast agent on its
way in outshines every bone; gas of stomach and bowel lies flat and may be cut by the last slice.
All of it is assumed, and nothing is touched within the lungs.
"""

import numpy as np

from dfsynth.records import Float32Map
from dfsynth.simulation.ct.lungs import LungMasks
from dfsynth.simulation.ct.morphology import Mask, components, convex_hull, dilated, doubled, halved
from dfsynth.simulation.ct.resampling import Cubes

_TISSUE_HU = 40.0
_AIR_HU = -1000.0
_GAS_HU = -150.0
_GAS_LEFT = 0.3
"""Of the gas below the lungs: standing, most of it gathers in a small bubble."""
_CUT_MM = 40.0
"""Above the last slice gas ends over this height."""
_SHOULDER_MM = 60.0
"""Over this height below the first slice the hollows beside the neck close."""
_WHOLE_SHOULDERS = 0.7
"""First slice over the slice at the lungs' tips: below it shoulders end within the scan."""
_DENSE_HU = 1000.0
_LEAST_DENSE_ML = 3.5
"""No bone is as dense through so much, as means over two cubes a side."""
_GLARE_MM = 7.0


def complete_body(cubes: Cubes, masks: LungMasks, spine: Mask) -> tuple[Cubes, Mask]:
    """The cubes with shoulders, little gas and no contrast agent in veins; and their body."""
    hu, body = cubes.hu.copy(), masks.body.copy()
    _empty_veins(hu, body & ~spine, cubes.step_mm)
    _fill_gas(hu, masks, cubes.step_mm)
    _fill_shoulders(hu, body, masks.lungs, cubes.step_mm)
    return Cubes(hu, cubes.step_mm), body


def _empty_veins(hu: Float32Map, where: Mask, step_mm: float) -> None:
    """Contrast agent on its way to the heart, and metal: denser than bone is as a whole."""
    labels, sizes = components(halved(hu) > _DENSE_HU)
    core = (sizes * (2 * step_mm) ** 3 / 1000 > _LEAST_DENSE_ML)[labels]
    if core.any():
        near = doubled(dilated(core, _GLARE_MM / (2 * step_mm)), hu.shape) & where
        hu[near] = np.minimum(hu[near], _TISSUE_HU)


def _fill_gas(hu: Float32Map, masks: LungMasks, step_mm: float) -> None:
    """Gas inside the body, below where the lungs begin to narrow."""
    lungs = masks.lungs
    widest = int(lungs.sum(axis=(0, 2)).argmax())
    rows = hu.shape[1]
    gas = masks.body & ~lungs & ~masks.airway & (hu < _GAS_HU)
    gas[:, :widest] = False
    end = np.clip((rows - 1 - np.arange(rows)) * step_mm / _CUT_MM, 0, 1)
    left = (_GAS_LEFT * end).astype(np.float32)[None, :, None]
    filled = _TISSUE_HU + left * (hu - _TISSUE_HU)
    hu[gas] = np.broadcast_to(filled, hu.shape)[gas]


def _fill_shoulders(hu: Float32Map, body: Mask, lungs: Mask, step_mm: float) -> None:
    """Tissue between neck and arms that grows from nothing to all of it towards the first slice."""
    apex = int(np.flatnonzero(lungs.any(axis=(0, 2)))[0])
    height = min(_SHOULDER_MM / step_mm, apex)
    areas = body.sum(axis=(0, 2))
    if areas[0] < _WHOLE_SHOULDERS * areas[apex]:
        return
    for row in range(int(height)):
        hull = convex_hull(body[:, row])
        hollow = hull & (hu[:, row] < _GAS_HU) & ~body[:, row]
        share = 1 - row / height
        hu[:, row][hollow] = _AIR_HU + share * (_TISSUE_HU - _AIR_HU)
        body[:, row] |= hollow
