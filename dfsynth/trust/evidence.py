"""One image's evidence: its maps, members, lungs and grey values, and its encoder, in numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map
from dfsynth.statistics import shape_error

_THUMB: Final = 12
_LARGEST: Final = 256
_LEAST: Final = 1e-4
_SCALES: Final = (0.002, 0.004, 0.008, 0.016)
"""Standard deviations of the Gaussians between which detail is measured, in sides of the image."""
Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the generator made of one image, padding cut off; every map (y, x)."""

    image: Float32Map
    """In [0, 1], dense is bright."""
    dark_field: Float32Map
    aleatoric: Float32Map
    epistemic: Float32Map
    lung: Float32Map
    """Probability in [0, 1]; zeros where the checkpoint has no lung output."""
    members: Sequence[Float32Map]
    """The dark-field image of each member."""
    embedding: Vector
    """(n) pooled features of the encoder."""


def describe(evidence: Evidence) -> tuple[Vector, Vector]:
    """Describes an image by figures that have a name, and by its layout.

    Returns:
        figures (m): signal, deviations, disagreement of the members, lungs, grey values and detail;
        layout (l): the image, its lungs and its signal as small images, then the embedding.
    """
    evidence = _made_small(evidence)
    # Maps are smooth: every second pixel tells as much as all.
    sparse = _every_second(evidence)
    figures = [
        *_signal_figures(sparse),
        *_disagreement_figures(sparse),
        *_lung_figures(sparse),
        *_image_figures(evidence),
    ]
    thumbs = [
        _thumb(evidence.image),
        _thumb(evidence.lung),
        _thumb(evidence.dark_field / (max(float(evidence.dark_field.max()), 0.0) + _LEAST)),
    ]
    return (
        np.array(figures, np.float32),
        np.concatenate([*thumbs, evidence.embedding]).astype(np.float32),
    )


def _made_small(evidence: Evidence) -> Evidence:
    """At most `_LARGEST` pixels a side, so that figures mean the same at every size of grid."""
    height, width = evidence.image.shape
    scale = _LARGEST / max(height, width)
    if scale >= 1:
        return evidence
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return _changed(
        evidence, lambda m: np.asarray(cv2.resize(m, size, interpolation=cv2.INTER_AREA))
    )


def _every_second(evidence: Evidence) -> Evidence:
    return _changed(evidence, lambda m: np.ascontiguousarray(m[::2, ::2]))


def _changed(evidence: Evidence, change: Callable[[Float32Map], Float32Map]) -> Evidence:
    return Evidence(
        image=change(evidence.image),
        dark_field=change(evidence.dark_field),
        aleatoric=change(evidence.aleatoric),
        epistemic=change(evidence.epistemic),
        lung=change(evidence.lung),
        members=[change(member) for member in evidence.members],
        embedding=evidence.embedding,
    )


def _signal_figures(evidence: Evidence) -> list[float]:
    lung, signal = evidence.lung, np.maximum(evidence.dark_field, 0)
    inside, outside = lung + _LEAST, 1 - lung + _LEAST
    figures = [
        float(signal.mean()),
        float(np.average(signal, weights=inside)),
        float(np.average(signal, weights=outside)),
        float((signal * outside).sum() / (signal.sum() + _LEAST)),
        float(np.quantile(signal, 0.95)),
        _cosine(signal, lung),
    ]
    for deviation in (evidence.aleatoric, evidence.epistemic):
        figures += [
            _log(float(deviation.mean())),
            _log(float(np.average(deviation, weights=inside))),
            _log(float(np.average(deviation, weights=outside))),
            _log(float(np.quantile(deviation, 0.95))),
        ]
    power = float(np.square(signal).sum()) + _LEAST
    figures.append(_log(float(np.square(evidence.epistemic).sum()) / power))
    return figures


def _disagreement_figures(evidence: Evidence) -> list[float]:
    """How the members' shapes differ from their mean, in the lung and outside."""
    lung = evidence.lung > 0.5
    found = [
        error
        for member in evidence.members
        if (error := shape_error(member, np.maximum(evidence.dark_field, 0), lung)) is not None
    ]
    if not found:
        return [0.0, 0.0, 0.0, 0.0]
    return [
        float(np.mean([e.total for e in found])),
        float(np.max([e.total for e in found])),
        float(np.mean([e.lung for e in found])),
        float(np.mean([e.outside for e in found])),
    ]


def _lung_figures(evidence: Evidence) -> list[float]:
    lung = evidence.lung.astype(np.float64)
    height, width = lung.shape
    area = lung.sum() + _LEAST
    down, right = np.linspace(0, 1, height), np.linspace(0, 1, width)
    centre = float((lung.sum(1) @ down) / area), float((lung.sum(0) @ right) / area)
    left = float(lung[:, : width // 2].sum() / area)
    clipped = np.clip(lung, 1e-3, 1 - 1e-3)
    entropy = -(clipped * np.log(clipped) + (1 - clipped) * np.log(1 - clipped))
    return [
        float(lung.mean()),
        float((lung > 0.5).mean()),
        float(entropy.mean()),
        float(entropy.mean() / max(lung.mean(), _LEAST)),
        float(lung.max()),
        *centre,
        float((lung.sum(1) @ np.square(down - centre[0])) / area) ** 0.5,
        float((lung.sum(0) @ np.square(right - centre[1])) / area) ** 0.5,
        left,
        _cosine(evidence.lung, evidence.lung[:, ::-1]),
        _cosine(evidence.lung, evidence.lung[::-1]),
    ]


def _image_figures(evidence: Evidence) -> list[float]:
    image, lung = evidence.image, evidence.lung
    height, width = image.shape
    inside, outside = lung + _LEAST, 1 - lung + _LEAST
    rim = max(min(height, width) // 16, 1)
    border = np.concatenate(
        [image[:rim].ravel(), image[-rim:].ravel(), image[:, :rim].ravel(), image[:, -rim:].ravel()]
    )
    middle = image[height // 4 : -(height // 4) or None, width // 4 : -(width // 4) or None]
    grey = np.quantile(image[::2, ::2], [0.05, 0.25, 0.5, 0.75, 0.95])
    detail = _detail(image)
    return [
        float(image.mean()),
        float(image.std()),
        *map(float, grey),
        float((image < 0.01).mean()),
        float((image > 0.99).mean()),
        float(border.mean()),
        float(border.std()),
        float(middle.mean()),
        float(np.average(image, weights=inside) - np.average(image, weights=outside)),
        _log(width / height),
        *(_contrast(scale, None) for scale in detail),
        *(_contrast(scale, inside) for scale in detail),
    ]


def _detail(image: Float32Map) -> list[Float32Map]:
    """Squared differences (y, x) between neighbouring scales, from the finest."""
    side = max(image.shape)
    levels = [image, *(cv2.GaussianBlur(image, (0, 0), s * side) for s in _SCALES)]
    return [np.square(fine - coarse) for fine, coarse in pairwise(levels)]


def _contrast(squared: Float32Map, weights: Float32Map | None) -> float:
    """Logarithm of the root of the mean, over the image or weighted."""
    return _log(float(np.average(squared, weights=weights)) ** 0.5)


def _thumb(image: Float32Map) -> Vector:
    small = cv2.resize(image, (_THUMB, _THUMB), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).ravel()


def _cosine(a: Float32Map, b: Float32Map) -> float:
    norm = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
    return float((a * b).sum()) / norm if norm > 0 else 0.0


def _log(value: float) -> float:
    return float(np.log(max(value, _LEAST)))
