"""Width of the lung's edge along the profile between the two regions, as Frey et al. measure it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from dfsynth.evaluate.streaks.error_function import BlurredStep, fit_blurred_step
from dfsynth.evaluate.streaks.regions import RegionPair

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class EdgeProfile:
    """The edge-spread function from air to lung, and its width."""

    positions_px: Array
    """(n), from the centre of the air square, one pixel apart."""
    values: Array
    """(n), in the unit of the image, averaged over the width of the squares."""
    fit: BlurredStep | None
    """None where the profile has no edge to speak of."""
    raw_fwhm_px: float
    """Of the derivative as it is, without any fit; NaN where it does not rise."""

    @property
    def fwhm_px(self) -> float:
        """Of the derivative of the fitted edge; NaN without a fit."""
        return float("nan") if self.fit is None else self.fit.fwhm_px


def edge_profile(image: NDArray[np.floating], regions: RegionPair) -> EdgeProfile:
    """FWHM of the derivative of the edge-spread profile between air and lung: Frey et al.

    The profile runs straight from the air square's centre to the lung square's, averaged over the
    width of the squares (cubic interpolation, one pixel apart). The paper does not say how it
    smooths: here an error function is fitted, whose derivative is a Gaussian, and the width of the
    bare derivative stands beside it, which noise makes narrow and meaningless.

    Since the lung's edge is curved and slanted under a profile so wide, most of this figure is
    anatomy (52 to 56 pixels in the paper). Compare it with that of the truth under the same
    regions; `measure_resolution` measures resolution itself.

    Args:
        image: (y, x), any unit.
        regions: what `choose_regions` gives.
    """
    start, end = (np.array(square.centre) for square in (regions.air, regions.lung))
    length = float(np.hypot(*(end - start)))
    along = (end - start) / length
    across = np.array([-along[1], along[0]])
    positions = np.arange(int(length) + 1, dtype=np.float64)
    offsets = np.arange(regions.air.side) - (regions.air.side - 1) / 2
    points = (
        start[:, None, None]
        + along[:, None, None] * positions[None, :, None]
        + across[:, None, None] * offsets[None, None, :]
    )
    sampled = ndimage.map_coordinates(image.astype(np.float64), points, order=3, mode="nearest")
    values = np.asarray(sampled.mean(axis=1))
    fit = fit_blurred_step(positions, values)
    return EdgeProfile(positions, values, fit, peak_width(np.diff(values)))


def peak_width(curve: Array) -> float:
    """Full width at half maximum of the highest peak of a curve (n), in samples.

    Between samples linear. NaN where no value is above 0, or the peak does not fall to its half
    within the curve.
    """
    if not curve.size or curve.max() <= 0:
        return float("nan")
    top = int(np.argmax(curve))
    if max(curve[: top + 1].min(), curve[top:].min()) >= curve[top] / 2:
        return float("nan")
    # Half of its height above 0, not above its foot as scipy has it.
    above_zero = curve[[top]], np.array([0]), np.array([curve.size - 1])
    return float(signal.peak_widths(curve, [top], 0.5, above_zero)[0][0])
