"""One image → its figures: each stage, each region, each target."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.evaluate.calibration import LEVELS, Factors, coverage_gap, covered
from dfsynth.evaluate.density import (
    GAUSSIAN,
    PredictiveDistribution,
    negative_log_density,
    ranked_probability_score,
)
from dfsynth.evaluate.fidelity import measure_fidelity, similarity_map
from dfsynth.evaluate.metrics import (
    COVERAGE_NAMES,
    REGIONS,
    TARGET_KINDS,
    ImageMetrics,
    MetricKey,
    undefined_metrics,
)
from dfsynth.evaluate.oracle import error_sigma, expected_target
from dfsynth.evaluate.ranking import area_between, rank_correlation, sparsification_curve
from dfsynth.evaluate.selection import draw_pixels
from dfsynth.records import Float32Map

Array = NDArray[np.float64]

PIXELS_PER_IMAGE: Final = 16_384
"""Drawn from a region for what needs sorting or special functions: all of most lungs at 256²."""


@dataclass(frozen=True, slots=True, eq=False)
class PredictedImage:
    """The targets of one test pair and what every stage predicts; maps (y, x) without padding."""

    stages: Sequence[PredictiveDistribution]
    noisy: Float32Map
    """The target as measured, unclipped."""
    clean: Float32Map | None
    """The target without noise and artefacts; null where it is not known."""
    lung: NDArray[np.bool_] | None
    """Null where no lung is known, and for a lung too small to measure."""


@dataclass(frozen=True, slots=True, eq=False)
class _Region:
    """A part of an image."""

    mask: NDArray[np.bool_]
    """(y, x)"""
    pixels: NDArray[np.intp]
    """Flat indices of at most `PIXELS_PER_IMAGE` of its pixels, in random order."""

    def take(self, values: Float32Map) -> Array:
        """(y, x) → (pixels)"""
        return values.ravel()[self.pixels].astype(np.float64)

    def root_mean_square(self, values: Float32Map) -> float:
        """Over all pixels of the part."""
        return float(np.sqrt(np.mean(np.square(values[self.mask], dtype=np.float64))))


@dataclass(frozen=True, slots=True, eq=False)
class _Comparison:
    """A prediction beside a target; maps (y, x)."""

    prediction: PredictiveDistribution
    target: Float32Map
    similarity: Float32Map
    """See `similarity_map`."""

    @property
    def errors(self) -> Float32Map:
        """(y, x)"""
        return self.target - self.prediction.mean


@dataclass(frozen=True, slots=True)
class Measurement:
    """Measures images one by one; what depends on no image."""

    data_range: float
    """Width of the window of dark-field values, in their unit: the range of PSNR and SSIM."""
    factors: Sequence[Factors | None]
    """Interval factors of each stage; null where its density gives the intervals."""

    def __call__(
        self, image: PredictedImage, rng: np.random.Generator
    ) -> Iterator[tuple[MetricKey, ImageMetrics]]:
        """Measures an image under every key; undefined where the pair lacks what a key needs.

        `rng` draws the pixels.
        """
        noisy, clean = image.noisy, image.clean
        masks = (np.ones(noisy.shape, np.bool_), image.lung)
        regions = [
            None if mask is None else _Region(mask, draw_pixels(mask, PIXELS_PER_IMAGE, rng))
            for mask in masks
        ]
        oracle = None if clean is None else self._compare(_oracle_of(noisy, clean), noisy)
        for stage, prediction in enumerate(image.stages):
            against_noisy = self._compare(prediction, noisy)
            against_clean = None if clean is None else self._compare(prediction, clean)
            for name, region in zip(REGIONS, regions, strict=True):
                found = dict.fromkeys(TARGET_KINDS, undefined_metrics())
                if region is not None:
                    found["noisy"] = self._measure(against_noisy, region, stage)
                    if against_clean is not None and oracle is not None:
                        found["clean"] = self._measure(against_clean, region, stage)
                        found["oracle"] = self._measure_oracle(prediction, oracle, region)
                for target, metrics in found.items():
                    yield MetricKey(stage, name, target), metrics

    def _compare(self, prediction: PredictiveDistribution, target: Float32Map) -> _Comparison:
        similarity = similarity_map(prediction.mean, target, self.data_range)
        return _Comparison(prediction, target, similarity)

    def _measure(self, comparison: _Comparison, region: _Region, stage: int) -> ImageMetrics:
        prediction, errors = comparison.prediction, comparison.errors
        error, sigma, beta = map(region.take, (errors, prediction.sigma, prediction.beta))
        inside = covered(error, sigma, beta, self.factors[stage])
        values = {
            **self._accuracy(comparison, region),
            **dict(zip(COVERAGE_NAMES, map(float, inside.mean(axis=1)), strict=True)),
            "coverage_gap": coverage_gap(inside, region.take(prediction.mean)),
        }
        return _with_uncertainty_quality(values, errors, prediction.sigma, region, inside)

    def _measure_oracle(
        self, prediction: PredictiveDistribution, oracle: _Comparison, region: _Region
    ) -> ImageMetrics:
        """Figures of the oracle's prediction, and of the best uncertainty for that of the stage.

        The stage's own errors are ranked by the sigma of somebody who knows all but the noise.
        """
        known = oracle.prediction
        errors = oracle.target - prediction.mean
        sigmas = error_sigma(prediction.mean, known.mean, known.sigma)
        values = {
            **self._accuracy(oracle, region),
            **dict.fromkeys((*COVERAGE_NAMES, "coverage_gap"), float("nan")),
        }
        inside = np.zeros((len(LEVELS), region.pixels.size), np.bool_)
        return _with_uncertainty_quality(values, errors, sigmas, region, inside)

    def _accuracy(self, comparison: _Comparison, region: _Region) -> Mapping[str, float]:
        """Fidelity of the mean and likelihood of the density."""
        prediction, target = comparison.prediction, comparison.target
        maps = (comparison.errors, prediction.sigma, prediction.beta)
        error, sigma, beta = map(region.take, maps)
        return {
            **measure_fidelity(
                prediction.mean, target, comparison.similarity, region.mask, self.data_range
            ),
            "nll": float(negative_log_density(error, sigma, beta).mean()),
            "crps": float(ranked_probability_score(error, sigma, beta).mean()),
        }


def _oracle_of(noisy: Float32Map, clean: Float32Map) -> PredictiveDistribution:
    """The clean target, with the offset that artefacts leave, as a prediction of the noisy one."""
    return PredictiveDistribution(
        *expected_target(noisy, clean), beta=np.full_like(clean, GAUSSIAN)
    )


def _with_uncertainty_quality(
    values: Mapping[str, float],
    errors: Float32Map,
    sigmas: Float32Map,
    region: _Region,
    inside: NDArray[np.bool_],
) -> ImageMetrics:
    """Adds how well sigmas (y, x) rank errors (y, x)."""
    error, sigma = region.take(errors), region.take(sigmas)
    curve = sparsification_curve(error, sigma)
    best_curve = sparsification_curve(error, np.abs(error))
    return ImageMetrics(
        values={
            **values,
            "ause": area_between(curve, best_curve),
            "spearman_pixels": rank_correlation(sigma, np.abs(error)),
            "error": region.root_mean_square(errors),
            "uncertainty": region.root_mean_square(sigmas),
        },
        errors=error.astype(np.float32),
        sigmas=sigma.astype(np.float32),
        covered=inside,
        curve=curve,
        best_curve=best_curve,
    )
