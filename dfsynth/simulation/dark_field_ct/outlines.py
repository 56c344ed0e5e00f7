"""Where lung and where free air is in a section, as a person would outline them."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from dfsynth.simulation.ct.morphology import closed
from dfsynth.simulation.ct.tissues import BONE, COVER, LUNG, SOFT
from dfsynth.simulation.dark_field_ct.sections import body_share

_CLOSING_MM: Final = 7.0
"""Vessels narrower than twice this belong to the lung around them."""
_BODY: Final = 0.02
_RIM_PIXELS: Final = 1.5
"""Between the body or the edge of the field of view and what counts as free air."""


def outline_lungs(fields: torch.Tensor, step_mm: float) -> NDArray[np.uint8]:
    """(y, x): 1 in lung with the vessels and bronchial walls that it surrounds, else 0.

    Left out are the heart, the mediastinum, ribs, and what holds air but no parenchyma.

    Args:
        fields: (5, y, x) of a section.
        step_mm: pitch of its pixels.
    """
    soft, bone, cover, lung = (fields[i].cpu().numpy() for i in (SOFT, BONE, COVER, LUNG))
    core = lung > 0.5
    whole = ndimage.binary_fill_holes(closed(core, _CLOSING_MM / step_mm))
    other = (cover > 0.5) | (bone > 0.1) | (soft + lung < 0.4)
    return np.asarray(core | (whole & ~other), np.uint8)


def outline_air(fields: torch.Tensor) -> NDArray[np.uint8]:
    """(y, x): 1 in air outside the body of a section's `fields`, inside the inscribed circle."""
    return free_air(body_share(fields) > _BODY)


def free_air(body: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """(y, x): 1 outside `body` (y, x) and its holes but inside the inscribed circle, else 0."""
    size = body.shape[0]
    # A frame, so that distances are known where there is no body at all.
    whole = np.pad(ndimage.binary_fill_holes(body), 1)
    away = ndimage.distance_transform_edt(~whole)[1:-1, 1:-1] if body.any() else np.inf
    offset = np.arange(size) - (size - 1) / 2
    radius = np.hypot(offset[:, None], offset[None, :])
    return np.asarray((away > _RIM_PIXELS) & (radius < size / 2 - _RIM_PIXELS), np.uint8)
