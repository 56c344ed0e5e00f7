"""Heads for trust whose weights are all drawn, and evidence made of a few numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dfsynth.trust import OUTPUTS, Evidence, Perceptron, Projection, TrustHeads, describe

FLAGS = ("not_chest", "lateral", "inverted", "rotated", "devices")
Array = NDArray[np.float32]


def drawn_evidence(
    shape: tuple[int, int] = (24, 32), members: int = 2, embedding: int = 6, seed: int = 0
) -> Evidence:
    """Maps of noise."""
    rng = np.random.default_rng(seed)
    image, dark_field, aleatoric, epistemic, lung, *others = rng.random(
        (5 + members, *shape), np.float32
    )
    pooled = rng.standard_normal(embedding).astype(np.float32)
    return Evidence(image, dark_field, aleatoric, epistemic, lung, others, pooled)


def figure_count() -> int:
    """How many figures that have a name describe an image."""
    return len(describe(drawn_evidence())[0])


def layout_count(embedding: int) -> int:
    """How many numbers the layout is, with so many of the encoder."""
    return len(describe(drawn_evidence(embedding=embedding))[1])


def drawn_heads(
    figures: int, layout: int, seed: int = 0, flags: tuple[str, ...] = FLAGS, **changed: Any
) -> TrustHeads:
    """Heads for descriptions of so many numbers; `changed` are fields of theirs."""
    rng = np.random.default_rng(seed)

    def drawn(*shape: int, scale: float = 1.0) -> Array:
        return (scale * rng.standard_normal(shape)).astype(np.float32)

    components, hidden, networks = 4, 5, 2
    inputs = figures + components
    root = drawn(inputs, inputs, scale=0.1)

    def perceptron(outputs: int) -> Perceptron:
        sizes = ((inputs, hidden), (hidden, outputs))
        return Perceptron(
            [drawn(networks, *size, scale=0.3) for size in sizes],
            [drawn(networks, 1, size[1], scale=0.3) for size in sizes],
        )

    fields: dict[str, Any] = {
        "projection": Projection(
            figure_mean=drawn(figures),
            figure_scale=1 + np.square(drawn(figures)),
            layout_mean=drawn(layout),
            layout_scale=1 + np.square(drawn(layout)),
            components=drawn(layout, components, scale=0.1),
        ),
        "error": perceptron(len(OUTPUTS)),
        "kinds": perceptron(1 + len(flags)),
        "flags": flags,
        "flag_thresholds": drawn(len(flags)),
        "centre": drawn(inputs),
        "precision": (root @ root.T + np.eye(inputs, dtype=np.float32)),
        "distances": np.array([2.0, 0.5], np.float32),
        "ood_offset": drawn(1),
        "margin_edges": np.array([-0.2, 0.2], np.float32),
        "margins": np.array([0.3, 0.5, 0.7], np.float32),
    }
    return TrustHeads(**fields | changed)
