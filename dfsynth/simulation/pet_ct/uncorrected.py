"""CT slice → PET slice that is not corrected for attenuation: counted along lines, and put back."""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from dfsynth.records import Float32Map, Parameter
from dfsynth.simulation.ct.morphology import Mask
from dfsynth.simulation.pet_ct.activity import draw_activity
from dfsynth.simulation.pet_ct.attenuation import attenuation_per_mm
from dfsynth.simulation.pet_ct.projector import line_projector
from dfsynth.simulation.pet_ct.reconstruction import reconstruct
from dfsynth.simulation.streams import Streams

MOST_PIXELS: Final = 128
"""Side of a PET's own slices, which have coarser pixels than the CT's where those are more."""
_SIGMA_OF_FWHM: Final = 1 / (2 * math.sqrt(2 * math.log(2)))
_RESOLUTION_MM: Final = (4.0, 7.0)
"""FWHM of the detectors [assumed: NEMA NU 2 gives 4 to 6 mm near the axis, more outside]."""
_FILTER_MM: Final = (3.0, 6.0)
"""FWHM of the filter behind the reconstruction [assumed: that of clinics]."""
_SCATTER: Final = (0.2, 0.45)
"""Share of scattered among all coincidences [NEMA NU 2, in three dimensions: 0.3 to 0.45]."""
_SCATTER_MM: Final = (150.0, 300.0)
"""FWHM over which scatter spreads the lines of a view [assumed]."""
_MARGIN: Final = 1 / 8
"""Of the side of a slice, reconstructed on every side of it: what is measured along lines that
graze the field, such as scatter, comes to lie in its outermost pixels."""
_COUNTS: Final = (3e5, 3e6)
"""Coincidences of a slice, drawn evenly in their logarithm [assumed]."""


@dataclass(frozen=True, slots=True)
class ScanDraw:
    """What one scan is made with."""

    resolution_mm: float
    filter_mm: float
    scatter_fraction: float
    scatter_mm: float
    counts: float
    """0: none are counted, and their mean is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedPet:
    """An uncorrected PET slice."""

    suv: Float32Map
    """(y, x), at least 0: SUV as if nothing had been absorbed, and so too low by all that was."""
    drawn: dict[str, Parameter]
    """What was drawn for it, by the names of the task's parameters."""


def simulate_pet(hu: Float32Map, body: Mask, pixel_mm: float, streams: Streams) -> SimulatedPet:
    """Draws the tracer in a CT slice of HU (y, x), square, and scans it.

    The tracer lies within the mask `body` (y, x); the table beside it absorbs as well.
    """
    side = len(hu)
    coarse = min(side, MOST_PIXELS)
    step_mm = pixel_mm * side / coarse
    found = draw_activity(hu, body, pixel_mm, streams("activity"))
    scan = draw_scan(streams("scan"))
    suv = scan_uncorrected(
        _resized(found.suv, coarse, cv2.INTER_AREA),
        _resized(attenuation_per_mm(hu), coarse, cv2.INTER_AREA),
        step_mm,
        scan,
        streams("counts"),
    )
    drawn: dict[str, Parameter] = {
        **found.drawn,
        "resolution_mm": scan.resolution_mm,
        "filter_mm": scan.filter_mm,
        "scatter_fraction": scan.scatter_fraction,
        "scatter_mm": scan.scatter_mm,
        "counts": scan.counts,
    }
    return SimulatedPet(_resized(suv, side, cv2.INTER_LINEAR), drawn)


def draw_scan(rng: np.random.Generator) -> ScanDraw:
    """Draws a scanner and how long it counts."""
    return ScanDraw(
        resolution_mm=float(rng.uniform(*_RESOLUTION_MM)),
        filter_mm=float(rng.uniform(*_FILTER_MM)),
        scatter_fraction=float(rng.uniform(*_SCATTER)),
        scatter_mm=float(rng.uniform(*_SCATTER_MM)),
        counts=float(np.exp(rng.uniform(*np.log(_COUNTS)))),
    )


def scan_uncorrected(
    activity: Float32Map,
    mu_per_mm: Float32Map,
    pixel_mm: float,
    scan: ScanDraw,
    rng: np.random.Generator,
) -> Float32Map:
    """The slice (y, x) that a scan gives of `activity` (y, x), in its unit, uncorrected.

    A pair of photons is counted if neither is absorbed, wherever on its line it began, so that the
    line integral of the activity a along a line L of attenuation μ is measured as

        p(L) = exp(-∫μ dl) ∫a dl

    (Bailey et al., Positron Emission Tomography: Basic Sciences, 2005, chapter 6), of which
    scatter is a smooth image, and counts are Poisson's. The field of view is wider than the slice.
    """
    margin = math.ceil(_MARGIN * len(activity))
    projector = line_projector(len(activity) + 2 * margin)
    blurred = gaussian_filter(activity, scan.resolution_mm * _SIGMA_OF_FWHM / pixel_mm)
    true = projector.project(np.pad(blurred, margin), pixel_mm)
    true *= np.exp(-projector.project(np.pad(mu_per_mm, margin), pixel_mm))
    both = true + _scattered(true, projector.bins, pixel_mm, scan)
    counted = _counted(both, scan.counts, rng)
    image = reconstruct(counted, projector, pixel_mm)
    filtered = gaussian_filter(image, scan.filter_mm * _SIGMA_OF_FWHM / pixel_mm)
    return filtered[margin:-margin, margin:-margin]


def _scattered(
    true: NDArray[np.float32], bins: int, pixel_mm: float, scan: ScanDraw
) -> NDArray[np.float32]:
    """`true` (subsets, views × bins) spread along each view, and as much of it as is drawn."""
    sigma = scan.scatter_mm * _SIGMA_OF_FWHM / pixel_mm
    views = true.reshape(-1, bins)
    spread = gaussian_filter1d(views, sigma, axis=1, mode="constant").reshape(true.shape)
    ratio = scan.scatter_fraction / (1 - scan.scatter_fraction)
    return spread * np.float32(ratio * true.sum() / max(float(spread.sum()), 1e-30))


def _counted(
    mean: NDArray[np.float32], counts: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """`mean` as that many coincidences give it, in its own unit."""
    total = float(mean.sum(dtype=np.float64))
    if not counts or not total:
        return mean
    scale = counts / total
    return (rng.poisson(mean * scale) / scale).astype(np.float32)


def _resized(image: Float32Map, side: int, method: int) -> Float32Map:
    if len(image) == side:
        return image
    return np.asarray(cv2.resize(image, (side, side), interpolation=method), np.float32)
