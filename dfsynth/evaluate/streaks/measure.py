"""One restored slice → all its figures."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dfsynth.evaluate.streaks.contrast import contrast_to_error, region_contrast
from dfsynth.evaluate.streaks.edge import EdgeProfile, edge_profile
from dfsynth.evaluate.streaks.noise_spectrum import NoiseSpectrum, measure_noise_spectrum
from dfsynth.evaluate.streaks.regions import RegionPair, choose_regions
from dfsynth.evaluate.streaks.slanted_edge import EdgeResolution, measure_resolution
from dfsynth.evaluate.streaks.straight_edges import StraightEdge, find_straight_edges
from dfsynth.evaluate.streaks.streak_power import StreakPower, measure_streaks
from dfsynth.evaluate.streaks.truth_errors import TruthErrors, errors_against_truth
from dfsynth.records import Float32Map

Mask = NDArray[np.generic]


@dataclass(frozen=True, slots=True, eq=False)
class SliceTruth:
    """What is known of a slice, and where to measure: the same for all that is made of it."""

    truth: Float32Map
    """(y, x) in 1/m."""
    lung_mask: Mask
    """(y, x), not 0 in lung."""
    air_mask: Mask
    """(y, x), not 0 in air outside the body."""
    pixel_mm: float
    regions: RegionPair | None
    """None where no square fits into lung or air."""
    edges: tuple[StraightEdge, ...]
    """Where resolution is measured."""
    profile: EdgeProfile | None
    """Of the truth between the regions; None without them."""
    resolution: EdgeResolution
    """Of the truth at these edges."""

    @classmethod
    def find(cls, truth: Float32Map, lung_mask: Mask, air_mask: Mask, pixel_mm: float) -> Self:
        """Chooses regions and edges of a slice; see `SliceTruth` for arrays (y, x) and units.

        Raises:
            ValueError: arrays of different shapes, or `pixel_mm` not above 0.
        """
        shapes = {truth.shape, lung_mask.shape, air_mask.shape}
        if len(shapes) > 1 or truth.ndim != 2:
            raise ValueError(f"expected truth and masks of one shape (y, x), found {shapes}")
        if not pixel_mm > 0:
            raise ValueError(f"expected pixel_mm above 0, found {pixel_mm}")
        regions = choose_regions(lung_mask, air_mask)
        edges = find_straight_edges(truth, lung_mask)
        return cls(
            truth=truth,
            lung_mask=lung_mask,
            air_mask=air_mask,
            pixel_mm=pixel_mm,
            regions=regions,
            edges=edges,
            profile=None if regions is None else edge_profile(truth, regions),
            resolution=measure_resolution(truth, edges),
        )

    @property
    def field_of_view(self) -> NDArray[np.bool_]:
        """(y, x), the circle that fits into the slice."""
        height, width = self.truth.shape
        y, x = np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2
        return np.hypot(y[:, None], x[None, :]) <= min(height, width) / 2


@dataclass(frozen=True, slots=True)
class SliceMetrics:
    """The figures of one slice; NaN where one is not defined.

    CNR rises with any smoothing, past that of the truth. What it cost shows in the widths and
    `mtf50_per_mm` (beside those of the truth, under the same regions and edges), in
    `errors.rim_relative_bias`, and in `noise_frequency_per_mm`, which falls as noise grows coarse.
    """

    region_side_px: int
    """Side of the squares of lung and air; 30 where they fit, 0 without any."""
    cnr: float
    """Of these squares, as in the paper; no unit."""
    truth_cnr: float
    """The same of the truth, whose lung is uneven: above it, anatomy was smoothed away; no unit."""
    contrast_to_error: float
    """Contrast of the same squares over the spread of image less truth there; no unit."""
    edge_fwhm_px: float
    """Of the derivative of the edge-spread profile between the squares, by a fit."""
    edge_raw_fwhm_px: float
    """The same without a fit."""
    edge_truth_fwhm_px: float
    """Of the truth, by a fit."""
    slanted_edges: int
    """How many straight edges resolution was measured at."""
    mtf50_per_mm: float
    """Cycles a mm at which the MTF is a half."""
    truth_mtf50_per_mm: float
    """The same of the truth."""
    line_spread_fwhm_mm: float
    """Of the line-spread function at these edges, by a fit."""
    truth_line_spread_fwhm_mm: float
    """The same of the truth."""
    errors: TruthErrors
    streak_power_per_m2: float
    """Directional variance of the errors in the field of view, mid frequencies, in (1/m)²."""
    mid_band_power_per_m2: float
    """All variance of the errors there, at these frequencies, in (1/m)²."""
    lung_noise_sd_per_m: float
    """Root of the integral of the noise power spectrum in the lung, in 1/m."""
    noise_frequency_per_mm: float
    """Mean frequency of that spectrum, weighted by power, in cycles a mm."""

    def values(self) -> Mapping[str, float]:
        """All figures by name, those of `errors` among them."""
        named = asdict(self)
        return {**named.pop("errors"), **named}


@dataclass(frozen=True, slots=True, eq=False)
class SliceCurves:
    """What pictures of one slice are drawn from."""

    profile: EdgeProfile | None
    """None without regions."""
    resolution: EdgeResolution
    streaks: StreakPower
    """By angle, in (1/m)²."""
    noise: NoiseSpectrum
    """In the lung, in (1/m)² mm²."""


def measure_curves(image: Float32Map, known: SliceTruth) -> SliceCurves:
    """Profile, MTF, power by angle and noise power spectrum of an image (y, x) in 1/m.

    Raises:
        ValueError: the image has another shape than its truth, or values that are no numbers.
    """
    if image.shape != known.truth.shape:
        raise ValueError(f"expected an image of shape {known.truth.shape}, found {image.shape}")
    if not np.isfinite(image).all():
        raise ValueError("expected an image of finite numbers, found NaN or infinity in it")
    residual = image.astype(np.float64) - known.truth
    return SliceCurves(
        profile=None if known.regions is None else edge_profile(image, known.regions),
        resolution=measure_resolution(image, known.edges),
        streaks=measure_streaks(residual, known.field_of_view),
        noise=measure_noise_spectrum(residual, known.lung_mask != 0, known.pixel_mm),
    )


def measure_slice(image: Float32Map, known: SliceTruth) -> SliceMetrics:
    """All figures of an image (y, x) in 1/m; what they are is said in `SliceMetrics`.

    Raises:
        ValueError: the image has another shape than its truth, or values that are no numbers.
    """
    return slice_metrics(image, measure_curves(image, known), known)


def slice_metrics(image: Float32Map, own: SliceCurves, known: SliceTruth) -> SliceMetrics:
    """As `measure_slice`, of an image (y, x) in 1/m whose curves are measured: `own`."""
    best, nan = known.resolution, float("nan")
    return SliceMetrics(
        region_side_px=0 if known.regions is None else known.regions.lung.side,
        cnr=region_contrast(image, known.regions),
        truth_cnr=region_contrast(known.truth, known.regions),
        contrast_to_error=contrast_to_error(image, known.truth, known.regions),
        edge_fwhm_px=nan if own.profile is None else own.profile.fwhm_px,
        edge_raw_fwhm_px=nan if own.profile is None else own.profile.raw_fwhm_px,
        edge_truth_fwhm_px=nan if known.profile is None else known.profile.fwhm_px,
        slanted_edges=own.resolution.edges,
        mtf50_per_mm=own.resolution.mtf50_per_px / known.pixel_mm,
        truth_mtf50_per_mm=best.mtf50_per_px / known.pixel_mm,
        line_spread_fwhm_mm=own.resolution.fwhm_px * known.pixel_mm,
        truth_line_spread_fwhm_mm=best.fwhm_px * known.pixel_mm,
        errors=errors_against_truth(image, known.truth, known.lung_mask, known.field_of_view),
        streak_power_per_m2=own.streaks.directional,
        mid_band_power_per_m2=own.streaks.mid_band,
        lung_noise_sd_per_m=own.noise.variance**0.5,
        noise_frequency_per_mm=own.noise.mean_frequency_per_mm,
    )
