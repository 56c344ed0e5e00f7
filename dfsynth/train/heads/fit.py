"""Examples → heads for trust: projection, error, kinds, distance, thresholds and margins."""

from dataclasses import replace
from fractions import Fraction
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from dfsynth.statistics import rank_reaching
from dfsynth.train.heads.examples import TARGETS, Examples
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
_NO_MARGIN: Final = 100.0
"""Makes every bound 1, which no error exceeds."""
FLAGS: Final = ("not_chest", "lateral", "inverted", "rotated", "devices")
Array = NDArray[np.float32]


def fit_heads(
    shifted: Examples, pictures: Examples, held: Examples, calibration: Examples, seed: int = 0
) -> TrustHeads:
    """Fits all heads.

    Args:
        shifted: Pairs under shift, of patients that neither calibrate nor test.
        pictures: Of all kinds of `PICTURES`, from archives that are not tested on.
        held: Frontal radiographs that nothing else was fitted on, for thresholds.
        calibration: Pairs under shift of patients of their own, for the margins.
        seed: Of initial weights and draws.

    Raises:
        ValueError: there is nothing to fit one of the heads on; the message says what is missing.
    """
    _require_examples(shifted, pictures, held, calibration)
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
        margin_edges=_edges(error(inputs)[:, -1]),
        margins=np.full(_GROUPS, _NO_MARGIN, np.float32),
    )
    heads = _with_thresholds(heads, held)
    known = calibration.of(np.isfinite(calibration.targets[:, -1]))
    return replace(heads, margins=_margins(heads, known))


def _require_examples(
    shifted: Examples, pictures: Examples, held: Examples, calibration: Examples
) -> None:
    frontal = int((pictures.kinds == FRONTAL).sum())
    for what, found, least in (
        *(
            (f"shifted pairs that know their {name}", int(np.isfinite(values).sum()), 1)
            for name, values in zip(TARGETS, shifted.targets.T, strict=True)
        ),
        ("frontal pictures", frontal, 2),
        ("pictures of other kinds", len(pictures) - frontal, 1),
        ("held frontal radiographs", len(held), 1),
        ("calibration pairs of known truth", int(np.isfinite(calibration.targets[:, -1]).sum()), 1),
    ):
        if found < least:
            raise ValueError(f"expected {least} or more {what}, found {found}")


def _with_thresholds(heads: TrustHeads, held: Examples) -> TrustHeads:
    """Distances, flags and `ood_score` by what frontal radiographs usually have."""
    usual = heads.projection(held.figures, held.layout)
    low, high = np.quantile(heads.excess_distance(usual), [0.5, 0.99])
    heads = replace(heads, distances=np.array([low, max(high - low, 1e-3)], np.float32))
    flags = np.maximum(_exceeded_by(_FALSE_FLAGS, heads.kinds(usual)[:, 1:]), 0)
    alarm = _exceeded_by(_FALSE_ALARMS, heads.unlikeness(usual)[:, None])
    return replace(heads, flag_thresholds=flags, ood_offset=alarm)


def _exceeded_by(share: float, values: Array) -> Array:
    """The least of the values (n) of each column that no more than a share of them exceeds."""
    ordered = np.sort(values, axis=0)
    return np.asarray(ordered[len(ordered) - 1 - int(share * len(ordered))], np.float32)


def _fit_projection(shifted: Examples, pictures: Examples) -> Projection:
    figures = np.concatenate([shifted.figures, pictures.figures])
    layout = np.concatenate([shifted.layout, pictures.layout]).astype(np.float64)
    mean, scale = layout.mean(axis=0), layout.std(axis=0) + 1e-3
    _, singular, axes = np.linalg.svd((layout - mean) / scale, full_matrices=False)
    spread = singular / np.sqrt(len(layout))
    # Directions in which examples do not differ would be rounding errors made large.
    count = min(_COMPONENTS, int((spread > _LEAST * spread[0]).sum()))
    return Projection(
        figure_mean=figures.mean(axis=0),
        figure_scale=figures.std(axis=0) + np.float32(1e-3),
        layout_mean=mean.astype(np.float32),
        layout_scale=scale.astype(np.float32),
        components=(axes[:count].T / spread[:count]).astype(np.float32),
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


def _edges(logits: Array) -> Array:
    """What divides predictions (n) into groups of one size.

    Of the pairs that the head was fitted on: groups that calibration patients themselves had made
    would not be those of a patient to come.
    """
    return np.quantile(logits, np.arange(1, _GROUPS) / _GROUPS).astype(np.float32)


def _margins(heads: TrustHeads, calibration: Examples) -> Array:
    """Split conformal margins (g) over patients of known truth, in groups of like predictions.

    A patient's pictures share its weight: the promise is one of a picture drawn at random of a
    patient to come (hierarchical conformal prediction: Lee, Barber, Willett 2023). Fewer than nine
    patients cannot promise 90 % by any number, and the bound of their group is 1.
    """
    logits = heads.error(heads.projection(calibration.figures, calibration.layout))[:, -1]
    # Not cut off as for training: a bound must hold for an error of 1, too.
    total = np.clip(calibration.targets[:, -1].astype(np.float64), 1e-13, 1 - 1e-13)
    excess = np.log(total / (1 - total)) - logits
    group = np.searchsorted(heads.margin_edges, logits)
    margins = [
        _margin(excess[group == number], calibration.patients[group == number])
        for number in range(_GROUPS)
    ]
    return np.array(margins, np.float32)


def _margin(excess: NDArray[np.float64], patients: NDArray[np.str_]) -> float:
    """The least excess (n) that is enough for `BOUND_CONFIDENCE` of patients and one to come."""
    order = np.argsort(excess)
    owners = np.unique(patients, return_inverse=True)[1][order]
    rank = rank_reaching(owners, Fraction(str(BOUND_CONFIDENCE)), to_come=1)
    return _NO_MARGIN if rank is None else float(excess[order[rank - 1]])
