"""Resolution by slanted edges that are known from the truth, after ISO 12233."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal.windows import tukey

from dfsynth.evaluate.streaks.error_function import fit_blurred_step
from dfsynth.evaluate.streaks.straight_edges import HALF_WIDTH_PX, StraightEdge

Array = NDArray[np.float64]

BINS_PER_PX: Final = 4
"""Oversampling of the edge-spread function, as the standard has it."""
_PADDING: Final = 8
"""Times the length of the line-spread function: reads MTF50 off a fine grid."""


@dataclass(frozen=True, slots=True, eq=False)
class EdgeResolution:
    """Resolution of an image; NaN and empty where it cannot be measured."""

    mtf50_per_px: float
    """Frequency at which the modulation transfer function falls to a half, in cycles a pixel."""
    fwhm_px: float
    """Full width at half maximum of the line-spread function, of an error function fitted to the
    edge-spread function: holds in noise in which the other does not."""
    edges: int
    """How many edges it rests on."""
    frequencies_per_px: Array
    """(m), cycles a pixel."""
    transfer: Array
    """(m), modulation transfer function; 1 at frequency 0."""


def measure_resolution(
    image: NDArray[np.floating], edges: Sequence[StraightEdge]
) -> EdgeResolution:
    """MTF50 and width of the line-spread function over edges known from the truth.

    ISO 12233 (e-SFR): pixels around an edge, sorted by their distance to it in bins of a quarter
    pixel, make an edge-spread function finer than the pixels; its derivative is the line-spread
    function, the magnitude of whose Fourier transform is the MTF. Other than in the standard, line
    and contrast of an edge come from the truth, so that neither noise nor streaks move the line,
    and several edges are pooled as shares of their step. Bins and differences are divided out of
    the MTF; the window is flat over the middle half, to leave the line-spread function its width.

    The truth itself has pixels, and lungs have curved edges: an image cannot do better than its
    truth, measured in the same way.

    Args:
        image: (y, x), in the unit of the truth in which `edges` were found.
        edges: what `find_straight_edges` gives; none gives NaN.
    """
    none = np.empty(0)
    if not edges:
        return EdgeResolution(float("nan"), float("nan"), 0, none, none)
    positions, spread = edge_spread(image, edges)
    fit = fit_blurred_step(positions, spread)
    frequencies, transfer = _transfer(np.diff(spread) * BINS_PER_PX)
    return EdgeResolution(
        mtf50_per_px=_falls_to_half(frequencies, transfer),
        fwhm_px=float("nan") if fit is None else fit.fwhm_px,
        edges=len(edges),
        frequencies_per_px=frequencies,
        transfer=transfer,
    )


def edge_spread(image: NDArray[np.floating], edges: Sequence[StraightEdge]) -> tuple[Array, Array]:
    """The pooled edge-spread function: distances in pixels (n), and values (n) from 0 to 1 in lung.

    Values are shares of each edge's step in the truth, averaged in bins of a quarter pixel and
    brought to the bins' centres between neighbours.

    Raises:
        ValueError: no edge.
    """
    if not edges:
        raise ValueError("expected at least one edge to measure at, found none")
    distances, values = [], []
    for edge in edges:
        used, distance = edge.box(image.shape)
        distances.append(distance[used])
        values.append((image[used].astype(np.float64) - edge.low) / (edge.high - edge.low))
    count = int(2 * HALF_WIDTH_PX * BINS_PER_PX)
    pooled = np.concatenate(distances)
    index = np.minimum(((pooled + HALF_WIDTH_PX) * BINS_PER_PX).astype(np.intp), count - 1)
    held = np.bincount(index, minlength=count)
    sums = np.bincount(index, np.concatenate(values), minlength=count)
    positions = (np.arange(count) + 0.5) / BINS_PER_PX - HALF_WIDTH_PX
    known = held > 0
    # Where the pixels of a bin lie on average: at few phases of the grid, beside its centre.
    places = np.bincount(index, pooled, minlength=count)[known] / held[known]
    return positions, np.interp(positions, places, sums[known] / held[known])


def _transfer(line_spread: Array) -> tuple[Array, Array]:
    """Cycles a pixel (m), up to one, and the MTF (m) of a line-spread function (n)."""
    windowed = line_spread * tukey(line_spread.size, 0.5)
    length = _PADDING * line_spread.size
    magnitude = np.abs(np.fft.rfft(windowed, length))
    frequencies = np.asarray(np.fft.rfftfreq(length, 1 / BINS_PER_PX), np.float64)
    used = frequencies <= 1.0
    # Averaging over a bin, and the difference of two bins, each damp by a sinc of the bin's width.
    damping = np.sinc(frequencies[used] / BINS_PER_PX) ** 2
    return frequencies[used], magnitude[used] / magnitude[0] / damping


def _falls_to_half(frequencies: Array, transfer: Array) -> float:
    """The first frequency at which the MTF is a half, between samples linear; NaN without one."""
    below = np.flatnonzero(transfer < 0.5)
    if not below.size or below[0] == 0:
        return float("nan")
    after = int(below[0])
    share = (transfer[after - 1] - 0.5) / (transfer[after - 1] - transfer[after])
    step = frequencies[after] - frequencies[after - 1]
    return float(frequencies[after - 1] + share * step)
