"""Examples → heads for trust: projection, error, kinds, distance, thresholds and margins."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from dfsynth.train.heads.examples import Examples
from dfsynth.train.heads.perceptrons import Loss, train_perceptron
from dfsynth.train.heads.pictures import FRONTAL, PICTURES
from dfsynth.trust import BOUND_CONFIDENCE, OUTPUTS, Projection, TrustHeads

_COMPONENTS: Final = 48
_SHRINKAGE: Final = 0.2
_LEAST: Final = 1e-3
_FALSE_FLAGS: Final = 0.01
"""Share of frontal radiographs that a flag may be raised on at the threshold."""
_FALSE_ALARMS: Final = 0.03
"""Share of them with an `ood_score` above 0."""
_GROUPS: Final = 3
"""Of like predictions, each with a margin of its own."""
FLAGS: Final = ("not_chest", "lateral", "inverted", "rotated", "devices")
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class HeadsFit:
    """Heads, and on what they were fitted."""

    heads: TrustHeads
    error_examples: int
    picture_examples: int
    calibration_patients: int


def fit_heads(
    shifted: Examples, pictures: Examples, held: Examples, calibration: Examples, seed: int = 0
) -> HeadsFit:
    """Fits all heads.

    Args:
        shifted: Pairs under shift, of patients that neither calibrate nor test.
        pictures: Of all kinds of `PICTURES`, from archives that are not tested on.
        held: Frontal radiographs that nothing else was fitted on, for thresholds.
        calibration: Pairs under shift of patients of their own, for the margins.
        seed: Of initial weights and draws.
    """
    projection = _fit_projection(shifted, pictures)
    inputs = projection(shifted.figures, shifted.layout)
    seen = projection(pictures.figures, pictures.layout)
    error = train_perceptron(
        inputs, len(OUTPUTS), _patient_weights(shifted), _error_loss(shifted.targets), seed
    )
    kinds = train_perceptron(
        seen, 1 + len(FLAGS), _kind_weights(pictures), _kind_loss(pictures), seed + 1
    )
    frontal = pictures.kinds == FRONTAL
    centre, precision = _spread(seen[frontal])
    heads = TrustHeads(
        projection=projection,
        error=error,
        kinds=kinds,
        flags=FLAGS,
        flag_thresholds=np.zeros(len(FLAGS), np.float32),
        centre=centre,
        precision=precision,
        distances=np.array([0, 1], np.float32),
        ood_offset=np.zeros(1, np.float32),
        margin_edges=np.zeros(0, np.float32),
        margins=np.zeros(1, np.float32),
    )
    usual = projection(held.figures, held.layout)
    distance = heads.excess_distance(usual)
    low, high = np.quantile(distance, [0.5, 0.99])
    heads = replace(heads, distances=np.array([low, max(high - low, 1e-3)], np.float32))
    logits = heads.kinds(usual)[:, 1:]
    thresholds = np.maximum(np.quantile(logits, 1 - _FALSE_FLAGS, axis=0), 0)
    alarms = heads.unlikeness(usual)
    heads = replace(
        heads,
        flag_thresholds=thresholds.astype(np.float32),
        ood_offset=np.array([np.quantile(alarms, 1 - _FALSE_ALARMS)], np.float32),
    )
    edges, margins = _margins(heads, calibration)
    return HeadsFit(
        replace(heads, margin_edges=edges, margins=margins),
        len(shifted),
        len(pictures),
        len(set(calibration.patients)),
    )


def _fit_projection(shifted: Examples, pictures: Examples) -> Projection:
    figures = np.concatenate([shifted.figures, pictures.figures])
    layout = np.concatenate([shifted.layout, pictures.layout]).astype(np.float64)
    mean, scale = layout.mean(axis=0), layout.std(axis=0) + 1e-3
    _, singular, axes = np.linalg.svd((layout - mean) / scale, full_matrices=False)
    count = min(_COMPONENTS, len(singular))
    spread = singular[:count] / np.sqrt(len(layout))
    return Projection(
        figure_mean=figures.mean(axis=0),
        figure_scale=figures.std(axis=0) + np.float32(1e-3),
        layout_mean=mean.astype(np.float32),
        layout_scale=scale.astype(np.float32),
        components=(axes[:count].T / np.maximum(spread, 1e-6)).astype(np.float32),
    )


def _error_loss(targets: Array) -> Loss:
    """Squared errors of logarithms and of the logit; of the factor, a Gaussian's likelihood."""
    wanted = torch.from_numpy(_transformed(targets))
    scale = torch.from_numpy(np.nanstd(_transformed(targets), axis=0) + np.float32(1e-3))

    def loss(outputs: Tensor, chosen: Tensor) -> Tensor:
        truth = wanted[chosen]
        known = torch.isfinite(truth)
        left = torch.where(known, outputs - torch.nan_to_num(truth), 0)
        squares = (left / scale).square()
        # The second output is the logarithm of the deviation of the factor's logarithm.
        factor = torch.where(known[..., 1], torch.nan_to_num(truth[..., 1]), 0)
        deviation = outputs[..., 1].clamp(-4, 1)
        likelihood = deviation + 0.5 * (factor / torch.exp(deviation)).square()
        parts = [squares[..., 0], likelihood * known[..., 1], squares[..., 2], squares[..., 3]]
        return torch.stack([*parts, 3 * squares[..., 4]]).sum(0).mean()

    return loss


def _transformed(targets: Array) -> Array:
    noise, factor, lung, outside, total = targets.T
    clipped = np.clip(total, 0.01, 0.99)
    return np.stack(
        [
            np.log(np.maximum(noise, _LEAST)),
            factor - np.nanmedian(factor),
            np.log(np.maximum(lung, _LEAST)),
            np.log(np.maximum(outside, _LEAST)),
            np.log(clipped / (1 - clipped)),
        ],
        axis=1,
    ).astype(np.float32)


def _kind_loss(pictures: Examples) -> Loss:
    truth = torch.tensor(
        [
            [float(name in PICTURES[str(kind)]) for name in ("ood", *FLAGS)]
            for kind in pictures.kinds
        ]
    )

    def loss(outputs: Tensor, chosen: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(outputs, truth[chosen])

    return loss


def _patient_weights(examples: Examples) -> NDArray[np.float64]:
    """Every patient counts the same, however many pictures there are of it."""
    return _even(examples.patients)


def _kind_weights(pictures: Examples) -> NDArray[np.float64]:
    """Every kind counts the same, but for frontal radiographs, which are half of what is drawn."""
    weights = _even(pictures.kinds)
    frontal = pictures.kinds == FRONTAL
    weights[frontal] *= weights[~frontal].sum() / weights[frontal].sum()
    return weights


def _even(names: NDArray[np.str_]) -> NDArray[np.float64]:
    _, place, counts = np.unique(names, return_inverse=True, return_counts=True)
    return 1.0 / counts[place]


def _spread(inputs: Array) -> tuple[Array, Array]:
    """Mean and inverse covariance, shrunk towards its diagonal."""
    centre = inputs.mean(axis=0)
    covariance = np.cov((inputs - centre).T.astype(np.float64))
    shrunk = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * np.diag(np.diag(covariance) + 1e-2)
    return centre, np.linalg.inv(shrunk).astype(np.float32)


def _margins(heads: TrustHeads, calibration: Examples) -> tuple[Array, Array]:
    """Split conformal margins over patients, in groups of like predictions.

    A patient's pictures share its weight, so that the promise is one over patients.
    """
    known = calibration.of(np.isfinite(calibration.targets[:, 4]))
    logits = heads.error(heads.projection(known.figures, known.layout))[:, -1]
    excess = _transformed(known.targets)[:, 4] - logits
    edges = np.quantile(logits, np.arange(1, _GROUPS) / _GROUPS)
    group = np.searchsorted(edges, logits)
    margins = []
    for number in range(_GROUPS):
        own = group == number
        weights = _even(known.patients[own])
        order = np.argsort(excess[own])
        # One patient's weight more than there is: the one to come (Tibshirani et al. 2019, eq. 7).
        reached = np.cumsum(weights[order]) / (weights.sum() + 1)
        place = min(int(np.searchsorted(reached, BOUND_CONFIDENCE)), len(order) - 1)
        margins.append(excess[own][order][place])
    return edges.astype(np.float32), np.array(margins, np.float32)
