"""Shadows beside the lungs that scatter nothing, drawn into radiographs on any device."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

MOST_SHADOWS: Final = 3
_DARK_SHARE: Final = 0.7
_HARDNESS: Final = (np.log(3.0), np.log(30.0))
_RIM: Final = 5
"""Side of the box in pixels over which a shadow ends at the lung."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """An ellipse with a soft rim."""

    centre: tuple[float, float]
    """Down and to the right, in sides of the image."""
    radii: tuple[float, float]
    """In sides of the image."""
    angle: float
    """Between the second radius and the image's rows, in radians."""
    depth: float
    """How much of the way it goes to black (below 0) or to white, -1 to 1."""
    hardness: float
    """Steepness of its rim: it fades over about 4/hardness of a radius."""


def draw_shadows(share: float, rng: np.random.Generator) -> tuple[Shadow, ...]:
    """One to `MOST_SHADOWS` of them in a share of the cases; else none.

    All numbers are drawn always, so that the share changes no later draw.
    """
    wanted = rng.random() < share
    count = int(rng.integers(1, MOST_SHADOWS + 1))
    drawn = []
    for _ in range(MOST_SHADOWS):
        centre = (float(rng.uniform(0, 1)), float(rng.uniform(0, 1)))
        radii = (float(rng.uniform(0.03, 0.25)), float(rng.uniform(0.03, 0.25)))
        angle = float(rng.uniform(0, np.pi))
        depth = float(rng.uniform(0.2, 0.9)) * (-1 if rng.random() < _DARK_SHARE else 1)
        drawn.append(Shadow(centre, radii, angle, depth, float(np.exp(rng.uniform(*_HARDNESS)))))
    return tuple(drawn[:count]) if wanted else ()


def cast_shadows(
    image: Tensor, lung: Tensor, known: Tensor | None, shadows: Sequence[Sequence[Shadow]]
) -> Tensor:
    """Radiographs with their shadows; nothing changes in a lung or where none is known of.

    Args:
        image: (n, 1, H, W) in [0, 1], dense is bright.
        lung: (n, 1, H, W), 1 in the lung.
        known: (n, 1, H, W), 0 where `lung` says nothing; None: known everywhere.
        shadows: of each image, at most `MOST_SHADOWS`.

    Returns:
        (n, 1, H, W) in [0, 1]; images without shadows as they were, to the last bit.
    """
    if not any(shadows):
        return image
    parts = _spread(shadows, image)
    dark = torch.prod(1 - parts.clamp_max(0).neg(), dim=1, keepdim=True)
    light = torch.prod(1 - parts.clamp_min(0), dim=1, keepdim=True)
    spared = lung if known is None else torch.maximum(lung, 1 - known)
    free = 1 - torch.maximum(spared, F.avg_pool2d(spared, _RIM, 1, _RIM // 2))
    shaded = 1 - (1 - image * dark) * light
    here = torch.tensor([bool(s) for s in shadows], device=image.device)[:, None, None, None]
    return torch.where(here, image + (shaded - image) * free, image)


def _spread(shadows: Sequence[Sequence[Shadow]], image: Tensor) -> Tensor:
    """(n, most, H, W): depth times the share of each shadow in each pixel."""
    height, width = image.shape[2:]
    none = Shadow((0.0, 0.0), (1.0, 1.0), 0.0, 0.0, 1.0)
    filled = [[*s, *[none] * (MOST_SHADOWS - len(s))] for s in shadows]

    def column(values: list[list[float]]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=image.device)[..., None, None]

    down = (torch.arange(height, device=image.device) + 0.5)[:, None] / height
    right = (torch.arange(width, device=image.device) + 0.5) / width
    y = down - column([[s.centre[0] for s in row] for row in filled])
    x = right - column([[s.centre[1] for s in row] for row in filled])
    angle = column([[s.angle for s in row] for row in filled])
    cosine, sine = torch.cos(angle), torch.sin(angle)
    along = (x * cosine + y * sine) / column([[s.radii[1] for s in row] for row in filled])
    across = (y * cosine - x * sine) / column([[s.radii[0] for s in row] for row in filled])
    distance = torch.sqrt(along.square() + across.square())
    rim = column([[s.hardness for s in row] for row in filled])
    return column([[s.depth for s in row] for row in filled]) * torch.sigmoid((1 - distance) * rim)
