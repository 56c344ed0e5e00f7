"""Would a filter by a score keep the right images? Risk against coverage, for each of them."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.evaluate.measurement import PredictedImage
from dfsynth.evaluate.score_order import DIRECTED_COLUMNS, unusualness
from dfsynth.evaluate.scores import RankedRisk
from dfsynth.records import Scored
from dfsynth.statistics import (
    Resamples,
    risk_at,
    risk_coverage_area,
    shape_error,
    share_of_oracle,
    weighted_rank_correlation,
)

Array = NDArray[np.float64]

KEPT: Final[Array] = np.linspace(0.05, 1.0, 20)
"""Shares of the images that a curve keeps."""
KEPT_SHARE: Final = 0.7
"""The share at which scores are compared with an oracle."""
RANDOM, ORACLE = "random", "oracle"
"""What stands beside the scores: chance, and the error itself."""


def shape_error_of(image: PredictedImage) -> float:
    """The error of shape of the last stage against the clean target, in [0, 1]; NaN if unknown."""
    clean = image.clean
    if clean is None:
        return float("nan")
    # The total is the same wherever the lung is.
    lung = np.zeros(clean.shape, np.bool_) if image.lung is None else image.lung
    found = shape_error(image.stages[-1].mean, clean, lung)
    return float("nan") if found is None else found.total


def measure_risk_coverage(
    errors: Mapping[str, Array], scored: Sequence[Scored], resamples: Resamples
) -> dict[str, dict[str, RankedRisk]] | None:
    """Error → chance, oracle and every score that says which of its ends is the unusual one.

    A score that no image has is left out.

    Args:
        errors: of each of the n images, (n), at least 0; NaN where it is not known.
        scored: the scores of the same images.
        resamples: draws of them.

    Returns:
        Null where no image has a known error.
    """
    found = {
        name: _rank(error, scored, resamples)
        for name, error in errors.items()
        if np.isfinite(error).any()
    }
    return found or None


def missing_scores(scored: Sequence[Scored]) -> tuple[str, ...]:
    """The scores with a direction that no image has."""
    return tuple(c.name for c in DIRECTED_COLUMNS if unusualness(scored, c) is None)


def _rank(errors: Array, scored: Sequence[Scored], resamples: Resamples) -> dict[str, RankedRisk]:
    known = np.isfinite(errors)
    orders = {RANDOM: np.zeros(errors.size), ORACLE: errors}
    for column in DIRECTED_COLUMNS:
        order = unusualness(scored, column)
        if order is not None:
            orders[column.name] = order
    within = Resamples(resamples.weights[:, known])
    return {name: _measure(errors[known], order[known], within) for name, order in orders.items()}


def _measure(errors: Array, order: Array, resamples: Resamples) -> RankedRisk:
    once = np.ones((1, errors.size))
    return RankedRisk(
        images=errors.size,
        area=resamples.of_weights(lambda w: risk_coverage_area(errors, order, w)),
        excess_area=resamples.of_weights(
            lambda w: risk_coverage_area(errors, order, w) - risk_coverage_area(errors, errors, w)
        ),
        share_of_oracle_70=resamples.of_weights(
            lambda w: share_of_oracle(KEPT_SHARE, errors, order, w)
        ),
        spearman=resamples.of_weights(lambda w: weighted_rank_correlation(order, errors, w)),
        curve=tuple(float(risk_at(share, errors, order, once)[0]) for share in KEPT),
    )
