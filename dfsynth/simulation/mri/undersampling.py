"""Which samples of k-space are kept, and the image that the others being 0 gives.

A mask is (ky, kx) of bool, square, the zero frequency in the middle; lines run along kx, so that
the phase is encoded along y.
"""

import math
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.options.simulate_tasks import MASKS
from dfsynth.records import Float32Map
from dfsynth.simulation.mri.kspace import to_kspace, to_magnitude

Mask = NDArray[np.bool_]
_CENTRE_OF_KEPT: Final = 0.32
"""Share of the kept lines that lie around the centre: 8 of 25 % (Zbontar et al. 2018, fastMRI)."""
_GOLDEN_ANGLE: Final = math.pi * (math.sqrt(5) - 1) / 2
"""Between spokes (Winkelmann et al. 2007)."""


def draw_mask(kind: str, size: int, keep: float, rng: np.random.Generator) -> Mask:
    """A mask (size, size) that keeps about the share `keep` of k-space.

    `centre` is a square around the zero frequency, and draws nothing (Upadhyay et al. 2021 keep
    8 %). Of whole lines, 32 % lie around the centre, and the others are drawn at random
    (`cartesian-random`) or at equal distances from a drawn first one (`equispaced`), as fastMRI has
    them (Zbontar et al. 2018, arXiv:1811.08839). `radial` has spokes in golden angles from a drawn
    first one, each sample on the nearest place of the grid.

    Args:
        kind: one of `dfsynth.options.MASKS`.
        size: side of k-space in samples.
        keep: share of the samples, above 0 and at most 1.
        rng: what is drawn from.
    """
    return _MASKS[kind](size, keep, rng)


def undersample(image: Float32Map, mask: Mask) -> Float32Map:
    """The zero-filled magnitude |F⁻¹(M · F x)| of an image x (y, x), M being the mask (ky, kx)."""
    return to_magnitude(to_kspace(image) * mask)


def _centre(size: int, keep: float, _: np.random.Generator) -> Mask:
    mask = np.zeros((size, size), np.bool_)
    middle = _middle(size, round(size * math.sqrt(keep)))
    mask[middle, middle] = True
    return mask


def _cartesian_random(size: int, keep: float, rng: np.random.Generator) -> Mask:
    lines, centre = _centre_lines(size, keep)
    chance = (size * keep - centre) / max(size - centre, 1)
    return _of_lines(lines | (rng.random(size) < chance), size)


def _equispaced(size: int, keep: float, rng: np.random.Generator) -> Mask:
    lines, centre = _centre_lines(size, keep)
    others = size * keep - centre
    if others > 0:
        # Some fall on lines of the centre, which are there already.
        step = (size - centre) / others
        lines[np.arange(rng.uniform(0, step), size, step).astype(np.int64)] = True
    return _of_lines(lines, size)


def _radial(size: int, keep: float, rng: np.random.Generator) -> Mask:
    mask = np.zeros((size, size), np.bool_)
    # As long as the diagonal: the corners are k-space too.
    along = np.arange(-size, size, 0.5)
    angle = rng.uniform(0, math.pi)
    while mask.mean() < keep:
        places = np.outer((math.sin(angle), math.cos(angle)), along)
        y, x = np.rint(size // 2 + places).astype(np.int64)
        inside = (y >= 0) & (y < size) & (x >= 0) & (x < size)
        mask[y[inside], x[inside]] = True
        angle += _GOLDEN_ANGLE
    return mask


def _centre_lines(size: int, keep: float) -> tuple[NDArray[np.bool_], int]:
    """The lines around the centre as a mask (ky) of them, and how many there are."""
    count = max(round(size * keep * _CENTRE_OF_KEPT), 1)
    lines = np.zeros(size, np.bool_)
    lines[_middle(size, count)] = True
    return lines, count


def _middle(size: int, count: int) -> slice:
    """The `count` samples around the zero frequency, at least that one."""
    count = max(count, 1)
    start = size // 2 - count // 2
    return slice(start, start + count)


def _of_lines(lines: NDArray[np.bool_], size: int) -> Mask:
    return np.repeat(lines[:, None], size, axis=1)


_MASKS: Final[Mapping[str, Callable[[int, float, np.random.Generator], Mask]]] = dict(
    zip(MASKS, (_centre, _cartesian_random, _equispaced, _radial), strict=True)
)
