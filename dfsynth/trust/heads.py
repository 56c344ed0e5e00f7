"""Heads for trust: evidence → what the manifest's learned columns say of an image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from dfsynth.errors import CheckpointError
from dfsynth.trust.evidence import Evidence, describe

Array = NDArray[np.float32]

OUTPUTS: Final = (
    "noise_uncertainty",
    "patient_uncertainty",
    "structure_uncertainty_lung",
    "structure_uncertainty_outside",
    "predicted_error",
)
"""What the error head says, in its order; the last as a logit, the others as logarithms."""
BOUND_CONFIDENCE: Final = 0.9
"""The share of patients for which `error_bound` holds."""


class Judge(Protocol):
    """Whatever says of images how far they can be trusted."""

    def __call__(self, evidence: "Sequence[Evidence]") -> "list[Learned]":
        """Says of each image what it knows."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What the heads say of one image."""

    scores: Mapping[str, float]
    """By the name of the manifest's column."""
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Figures and layout → standardised inputs of the heads, by principal components."""

    figure_mean: Array
    """(m)"""
    figure_scale: Array
    """(m)"""
    layout_mean: Array
    """(l)"""
    layout_scale: Array
    """(l)"""
    components: Array
    """(l, c), already divided by the spread of what they give."""

    def __call__(self, figures: Array, layout: Array) -> Array:
        """(n, m) and (n, l) → (n, m + c), cut off at 6 standard deviations."""
        own = (figures - self.figure_mean) / self.figure_scale
        laid = ((layout - self.layout_mean) / self.layout_scale) @ self.components
        return np.clip(np.concatenate([own, laid], axis=1), -6, 6).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Perceptron:
    """A few small networks of one shape whose outputs are averaged."""

    weights: Sequence[Array]
    """(networks, in, out) of each layer."""
    biases: Sequence[Array]
    """(networks, 1, out) of each layer."""

    def __call__(self, inputs: Array) -> Array:
        """(n, in) → (n, out)."""
        hidden = np.broadcast_to(inputs, (self.weights[0].shape[0], *inputs.shape))
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = hidden @ weight + bias
            if layer + 1 < len(self.weights):
                hidden = hidden * _sigmoid(hidden)
        return hidden.mean(axis=0).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class TrustHeads:
    """All heads of one checkpoint, trained on what that checkpoint makes of images.

    `predicted_error` is the expected error of shape; `error_bound` adds a margin on the scale of
    logits, by split conformal prediction over calibration patients (Papadopoulos et al. 2002;
    Vovk, Gammerman, Shafer 2005), in groups of like predictions (Mondrian: Vovk et al. 2003).
    `ood_score` is above 0 for images more unlike the training radiographs than nearly all
    radiographs are. It adds the logit of a classifier that was shown other images and changed
    radiographs to how far beyond all training radiographs the image lies (Mahalanobis distance in
    the projected features: Lee et al., NeurIPS 2018).
    """

    projection: Projection
    error: Perceptron
    """→ `OUTPUTS`."""
    kinds: Perceptron
    """→ logits of "out of distribution", then of each of `flags`."""
    flags: tuple[str, ...]
    flag_thresholds: Array
    """(flags) on the logits."""
    centre: Array
    """(m + c) mean of the training radiographs' inputs."""
    precision: Array
    """(m + c, m + c) inverse covariance of the same."""
    distances: Array
    """(2): a usual Mahalanobis distance of training radiographs (median), and their 99th percentile
    less it."""
    ood_offset: Array
    """(1) the unlikeness that becomes an `ood_score` of 0."""
    margin_edges: Array
    """(g − 1) predicted logits that divide the groups."""
    margins: Array
    """(g) of the bound, on the scale of logits."""

    def __call__(self, evidence: Sequence[Evidence]) -> list[Learned]:
        """Says of each image what the checkpoint knows of it.

        Raises:
            CheckpointError: the heads were trained on what another network makes of images.
        """
        described = [describe(each) for each in evidence]
        figures = np.stack([figures for figures, _ in described])
        layout = np.stack([layout for _, layout in described])
        found = figures.shape[1], layout.shape[1]
        expected = len(self.projection.figure_mean), len(self.projection.layout_mean)
        if found != expected:
            raise CheckpointError(
                f"the checkpoint's heads take descriptions of {expected[0]} + {expected[1]} "
                f"numbers, its network gives {found[0]} + {found[1]}; the two do not belong "
                "together: get the checkpoint again"
            )
        return self.judge(self.projection(figures, layout))

    def judge(self, inputs: Array) -> list[Learned]:
        """The same for inputs (n, m + c) of the projection."""
        errors, kinds = self.error(inputs), self.kinds(inputs)
        ood = self.unlikeness(inputs) - self.ood_offset
        bounds = _sigmoid(errors[:, -1] + self.margins_of(errors[:, -1]))
        found = []
        for said, kind, unlike, bound in zip(errors, kinds, ood, bounds, strict=True):
            deviations = np.exp(np.clip(said[:-1], -30, 30))
            values = dict(zip(OUTPUTS, [*deviations, _sigmoid(said[-1])], strict=True))
            values |= {"error_bound": bound, "ood_score": unlike}
            raised = tuple(
                flag
                for flag, logit, least in zip(
                    self.flags, kind[1:], self.flag_thresholds, strict=True
                )
                if logit > least
            )
            found.append(Learned({name: float(value) for name, value in values.items()}, raised))
        return found

    def margins_of(self, logits: Array) -> Array:
        """The margin (n) of the group of each predicted logit (n)."""
        return self.margins[np.searchsorted(self.margin_edges, logits)]

    def unlikeness(self, inputs: Array) -> Array:
        """How unlike (n) training radiographs inputs are, by the vote and by their distance."""
        return self.kinds(inputs)[:, 0] + self.excess_distance(inputs)

    def excess_distance(self, inputs: Array) -> Array:
        """How far (n) inputs lie beyond usual training radiographs; 1 at their 99th percentile."""
        away = inputs - self.centre
        distance = np.sqrt(np.maximum(((away @ self.precision) * away).sum(axis=1), 0))
        return np.maximum((distance - self.distances[0]) / self.distances[1], 0)


def _sigmoid(logits: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)
