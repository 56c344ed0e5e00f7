"""Figures of single images → figures with intervals over patients."""

import numpy as np
from numpy.typing import NDArray

from dfsynth.evaluate.calibration import (
    BINS,
    HEADLINE_LEVEL,
    LEVELS,
    bin_edges,
    bin_sums,
    expected_normalised_error,
)
from dfsynth.evaluate.metrics import COVERAGE_NAMES, MEANS, ImageMetrics, MetricKey
from dfsynth.evaluate.per_image import PerImageMetrics
from dfsynth.evaluate.scores import Bin, RegionScores, Spread, StageScores, TargetScores
from dfsynth.statistics import Interval, Resamples, weighted_rank_correlation

Array = NDArray[np.float64]

_HEADLINE = COVERAGE_NAMES[LEVELS.index(HEADLINE_LEVEL)]


def summarise(metrics: PerImageMetrics, resamples: Resamples) -> tuple[StageScores, ...]:
    """The scores of every stage; `resamples` draws from the images in their order."""
    found = []
    for stage in range(metrics.stages):
        whole = _region(metrics, resamples, stage, "whole")
        assert whole is not None
        found.append(StageScores(stage + 1, whole, _region(metrics, resamples, stage, "lung")))
    return tuple(found)


def _region(
    metrics: PerImageMetrics, resamples: Resamples, stage: int, region: str
) -> RegionScores | None:
    noisy, clean, oracle = (
        _target(metrics, resamples, MetricKey(stage, region, target))
        for target in ("noisy", "clean", "oracle")
    )
    return None if noisy is None else RegionScores(noisy, clean, oracle)


def _target(metrics: PerImageMetrics, resamples: Resamples, key: MetricKey) -> TargetScores | None:
    if not metrics.is_known(key):
        return None
    images = metrics.metrics[key]
    means = {name: resamples.mean(metrics.values(key, name)) for name in MEANS}
    coverage = means.pop(_HEADLINE)
    oracle = key.target == "oracle"
    edges = bin_edges([m.sigmas for m in images])
    return TargetScores(
        **means,
        coverage=coverage,
        ence=_normalised_error(images, resamples, edges),
        spearman=_image_ranking(metrics, resamples, key),
        deciles=_deciles(images, resamples, edges, with_coverage=not oracle),
        coverage_over_images={} if oracle else _coverage_over_images(metrics, key),
        sparsification=_mean_curve([m.curve for m in images]),
        best_sparsification=_mean_curve([m.best_curve for m in images]),
    )


def _image_ranking(metrics: PerImageMetrics, resamples: Resamples, key: MetricKey) -> Interval:
    score, error = metrics.values(key, "uncertainty"), metrics.values(key, "error")
    known = np.isfinite(score) & np.isfinite(error)
    return resamples.of_weights(
        lambda weights: weighted_rank_correlation(score[known], error[known], weights[:, known])
    )


def _normalised_error(images: list[ImageMetrics], resamples: Resamples, edges: Array) -> Interval:
    sums = np.stack([np.concatenate(_moments(m, edges)) for m in images])
    return resamples.ratio(sums, expected_normalised_error)


def _moments(image: ImageMetrics, edges: Array) -> tuple[Array, Array, Array]:
    """Pixels, variance and squared error of each bin."""
    ones = np.ones_like(image.sigmas)
    return (
        bin_sums(ones, image.sigmas, edges),
        bin_sums(image.sigmas.astype(np.float64) ** 2, image.sigmas, edges),
        bin_sums(image.errors.astype(np.float64) ** 2, image.sigmas, edges),
    )


def _deciles(
    images: list[ImageMetrics], resamples: Resamples, edges: Array, with_coverage: bool
) -> tuple[Bin, ...]:
    moments = np.stack([np.stack(_moments(m, edges)) for m in images])
    pixels, variance, square = moments.sum(axis=0)
    levels = enumerate(LEVELS) if with_coverage else []
    inside = {
        level: np.stack([bin_sums(m.covered[i], m.sigmas, edges) for m in images])
        for i, level in levels
    }
    return tuple(
        Bin(
            stated=float(np.sqrt(variance[b] / pixels[b])),
            found=float(np.sqrt(square[b] / pixels[b])),
            coverage={
                str(level): resamples.ratio(
                    np.stack([hits[:, b], moments[:, 0, b]], axis=1), lambda s: s[:, 0] / s[:, 1]
                )
                for level, hits in inside.items()
            },
        )
        for b in range(BINS)
        if pixels[b] > 0
    )


def _coverage_over_images(metrics: PerImageMetrics, key: MetricKey) -> dict[str, Spread]:
    found = {}
    for level, name in zip(LEVELS, COVERAGE_NAMES, strict=True):
        values = metrics.values(key, name)
        marks = np.percentile(values[np.isfinite(values)], [5, 25, 50, 75, 95])
        found[str(level)] = Spread(*map(float, marks))
    return found


def _mean_curve(curves: list[Array]) -> tuple[float, ...]:
    """The mean over images; empty where no image has one."""
    known = [curve for curve in curves if np.isfinite(curve).all()]
    return tuple(map(float, np.mean(known, axis=0))) if known else ()
