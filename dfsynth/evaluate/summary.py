"""Figures of single pictures → figures with intervals over patients."""

import numpy as np
from numpy.typing import NDArray

from dfsynth.evaluate.bootstrap import Interval, Resamples
from dfsynth.evaluate.calibration import (
    BINS,
    LEVELS,
    bin_edges,
    bin_sums,
    expected_normalised_error,
)
from dfsynth.evaluate.measurement import COVERAGE_NAMES, MEANS, Measured, Place
from dfsynth.evaluate.per_image import Gathered
from dfsynth.evaluate.ranking import weighted_rank_correlation
from dfsynth.evaluate.scores import Bin, RegionScores, Spread, StageScores, TargetScores

Array = NDArray[np.float64]

_HEADLINE = "coverage_90"


def summarise(gathered: Gathered, resamples: Resamples) -> tuple[StageScores, ...]:
    """The scores of every stage; `resamples` draws from the pictures in their order."""
    found = []
    for stage in range(gathered.stages):
        whole = _region(gathered, resamples, stage, "whole")
        assert whole is not None
        found.append(StageScores(stage + 1, whole, _region(gathered, resamples, stage, "lung")))
    return tuple(found)


def _region(
    gathered: Gathered, resamples: Resamples, stage: int, region: str
) -> RegionScores | None:
    noisy, clean, oracle = (
        _target(gathered, resamples, Place(stage, region, target))
        for target in ("noisy", "clean", "oracle")
    )
    return None if noisy is None else RegionScores(noisy, clean, oracle)


def _target(gathered: Gathered, resamples: Resamples, place: Place) -> TargetScores | None:
    if not gathered.is_known(place):
        return None
    measured = gathered.measured[place]
    means = {name: resamples.mean(gathered.values(place, name)) for name in MEANS}
    coverage = means.pop(_HEADLINE)
    oracle = place.target == "oracle"
    edges = bin_edges([m.sigmas for m in measured])
    return TargetScores(
        **means,
        coverage=coverage,
        ence=_normalised_error(measured, resamples, edges),
        spearman=_image_ranking(gathered, resamples, place),
        deciles=_deciles(measured, resamples, edges, with_coverage=not oracle),
        coverage_over_images={} if oracle else _coverage_over_images(gathered, place),
        sparsification=_mean_curve([m.curve for m in measured]),
        best_sparsification=_mean_curve([m.best_curve for m in measured]),
    )


def _image_ranking(gathered: Gathered, resamples: Resamples, place: Place) -> Interval:
    score, error = gathered.values(place, "uncertainty"), gathered.values(place, "error")
    known = np.isfinite(score) & np.isfinite(error)
    return resamples.of_weights(
        lambda weights: weighted_rank_correlation(score[known], error[known], weights[:, known])
    )


def _normalised_error(measured: list[Measured], resamples: Resamples, edges: Array) -> Interval:
    sums = np.stack([np.concatenate(_moments(m, edges)) for m in measured])
    return resamples.ratio(sums, expected_normalised_error)


def _moments(measured: Measured, edges: Array) -> tuple[Array, Array, Array]:
    """Pixels, variance and squared error of each bin."""
    ones = np.ones_like(measured.sigmas)
    return (
        bin_sums(ones, measured.sigmas, edges),
        bin_sums(measured.sigmas.astype(np.float64) ** 2, measured.sigmas, edges),
        bin_sums(measured.errors.astype(np.float64) ** 2, measured.sigmas, edges),
    )


def _deciles(
    measured: list[Measured], resamples: Resamples, edges: Array, with_coverage: bool
) -> tuple[Bin, ...]:
    moments = np.stack([np.stack(_moments(m, edges)) for m in measured])
    pixels, variance, square = moments.sum(axis=0)
    levels = enumerate(LEVELS) if with_coverage else []
    inside = {
        level: np.stack([bin_sums(m.covered[i], m.sigmas, edges) for m in measured])
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


def _coverage_over_images(gathered: Gathered, place: Place) -> dict[str, Spread]:
    found = {}
    for level, name in zip(LEVELS, COVERAGE_NAMES, strict=True):
        values = gathered.values(place, name)
        marks = np.percentile(values[np.isfinite(values)], [5, 25, 50, 75, 95])
        found[str(level)] = Spread(*map(float, marks))
    return found


def _mean_curve(curves: list[Array]) -> tuple[float, ...]:
    """Over pictures; empty where no picture has one."""
    known = [curve for curve in curves if np.isfinite(curve).all()]
    return tuple(map(float, np.mean(known, axis=0))) if known else ()
