"""Rigid moves of a head during the scan of a slice: pieces of k-space from moved images.

The lines of k-space are taken one after the other along ky. Between two moves the head rests, so
that the lines of that piece are those of the image of the head where it then lies. Where it lies
as the middle line is taken is where the slice shows it: the sharp image and the moved one cover
each other. Coil sensitivity and inhomogeneity of the field, which do not move along, are left out,
and so is a slice's profile: the plane that is scanned is sampled where it lies in the head.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from dfsynth.records import Float32Map
from dfsynth.simulation.mri.kspace import to_kspace, to_magnitude
from dfsynth.simulation.mri.volume import MrVolume

_SPLINE: Final = 3
_SLAB_MARGIN: Final = 4
"""Planes around what is sampled, for the support of the splines."""


@dataclass(frozen=True, slots=True)
class MotionRanges:
    """What moves are drawn from."""

    moves: tuple[int, int]
    """Least and most moves during a scan."""
    move_mm: tuple[float, float]
    """Least and greatest of the longest shift of one move."""
    move_deg: tuple[float, float]
    """The same of the widest turn."""


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Where a head lies during a scan, relative to where it lies as the middle line is taken."""

    starts: NDArray[np.int64]
    """(states) the first line of k-space of each state, from 0 on."""
    shifts_mm: NDArray[np.float64]
    """(states, 3): to the left, to the back, to the head."""
    turns_deg: NDArray[np.float64]
    """(states, 3): rotation vectors about the same axes, through the middle of the volume."""
    longest_mm: float
    """The longest shift of one move that could be drawn."""
    widest_deg: float
    """The widest turn of one move that could be drawn."""

    @property
    def moves(self) -> int:
        """How often the head moved."""
        return len(self.starts) - 1

    def moved_share(self, lines: int) -> float:
        """Share of the `lines` of k-space that are not of the head where the slice shows it."""
        lengths = np.diff(np.append(self.starts, lines))
        away = (self.shifts_mm != 0).any(axis=1) | (self.turns_deg != 0).any(axis=1)
        return float(lengths[away].sum() / lines)


def draw_motion(ranges: MotionRanges, lines: int, rng: np.random.Generator) -> Motion:
    """Draws how a head moves while `lines` lines of k-space are taken.

    A number of moves at drawn times, each a shift in a drawn direction and a turn about a drawn
    axis, of drawn size up to what was drawn for the pair, onto those before [assumed].
    """
    count = int(rng.integers(ranges.moves[0], ranges.moves[1] + 1))
    longest_mm, widest_deg = rng.uniform(*ranges.move_mm), rng.uniform(*ranges.move_deg)
    # Line 0 is of the first state, and no two moves come between the same two lines.
    times = 1 + rng.choice(lines - 1, size=min(count, lines - 1), replace=False)
    starts = np.concatenate([[0], np.sort(times)])
    shifts_mm = _walk(longest_mm, len(times), rng)
    turns_deg = _walk(widest_deg, len(times), rng)
    middle = int(np.searchsorted(starts, lines // 2, side="right")) - 1
    return Motion(
        starts=starts,
        shifts_mm=shifts_mm - shifts_mm[middle],
        turns_deg=turns_deg - turns_deg[middle],
        longest_mm=float(longest_mm),
        widest_deg=float(widest_deg),
    )


def scan_moving(volume: MrVolume, index: int, motion: Motion) -> Float32Map:
    """The magnitude (size, size) of slice `index` of a head that moves as `motion` says."""
    kspace = to_kspace(volume.slice_at(index))
    ends = np.append(motion.starts[1:], volume.size)
    for state, (start, end) in enumerate(zip(motion.starts, ends, strict=True)):
        shift_mm, turn_deg = motion.shifts_mm[state], motion.turns_deg[state]
        if shift_mm.any() or turn_deg.any():
            moved = to_kspace(moved_slice(volume, index, shift_mm, turn_deg))
            kspace[start:end] = moved[start:end]
    return to_magnitude(kspace)


def moved_slice(
    volume: MrVolume, index: int, shift_mm: NDArray[np.float64], turn_deg: NDArray[np.float64]
) -> Float32Map:
    """What lies in the place of slice `index` once the head has turned and then shifted.

    A point p of the plane holds what was at R⁻¹(p - t) before, seen from the middle of the volume,
    by cubic B-splines. What lies beyond the volume is 0.

    Args:
        volume: the head at rest.
        index: the slice, from the feet up.
        shift_mm: (3) t: to the left, to the back, to the head.
        turn_deg: (3) rotation vector of R about the same axes.

    Returns:
        (size, size), at least 0.
    """
    steps_mm = np.array([volume.plane_mm, volume.pixel_mm, volume.pixel_mm])
    shape = np.array(volume.values.shape)
    middle = (shape - 1) / 2
    y, x = np.mgrid[: volume.size, : volume.size].reshape(2, -1) - np.array([volume.corner]).T
    places = np.stack([np.full(x.size, index), y, x], axis=1)
    back = Rotation.from_rotvec(turn_deg, degrees=True).inv()
    # Rotations and shifts are of (x, y, z), arrays of (z, y, x).
    moved_mm = ((places - middle) * steps_mm)[:, ::-1] - shift_mm
    before = (back.apply(moved_mm)[:, ::-1] / steps_mm + middle).T
    inside = ((before > -1) & (before < shape[:, None])).all(axis=0)
    square = np.zeros(volume.size**2, np.float32)
    if inside.any():
        square[inside] = _sample(volume.values, before[:, inside])
    return square.reshape(volume.size, volume.size)


def _sample(values: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float32]:
    """Values, at least 0, at places (3, n) of (planes, rows, columns); 0 lies around them."""
    first = max(int(places[0].min()) - _SLAB_MARGIN, 0)
    last = int(places[0].max()) + _SLAB_MARGIN + 1
    places[0] -= first
    found = map_coordinates(
        values[first:last], places, output=np.float32, order=_SPLINE, mode="grid-constant"
    )
    return np.maximum(found, 0)


def _walk(most: float, moves: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Sums (moves + 1, 3) of steps in drawn directions, each of a length from 0 to `most`."""
    directions = rng.normal(size=(moves, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    steps = directions * rng.uniform(0, most, size=(moves, 1))
    return np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)])
