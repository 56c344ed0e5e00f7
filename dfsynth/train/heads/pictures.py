"""Pictures that are no frontal chest radiograph, or one that was spoilt: what the vote is shown."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.random import Generator

from dfsynth.datasets.shifts import devices, gamma, hard_window, local_equalisation, noise
from dfsynth.records import Float32Map

FRONTAL: Final = "frontal"
PICTURES: Final[Mapping[str, frozenset[str]]] = {
    FRONTAL: frozenset(),
    "devices": frozenset({"devices"}),
    "hard_window": frozenset({"ood"}),
    "inverted": frozenset({"ood", "inverted"}),
    "turned": frozenset({"ood", "rotated"}),
    "half_chest": frozenset({"ood"}),
    "other": frozenset({"ood", "not_chest"}),
    "lateral": frozenset({"ood", "lateral"}),
    "noise": frozenset({"ood", "not_chest"}),
}
"""Kinds of pictures → what is true of them: out of distribution, and flags."""


def picture_kinds(radiograph: Float32Map, rng: Generator) -> dict[str, Float32Map]:
    """One picture of each kind that a frontal radiograph (y, x) in [0, 1] can be made into.

    The frontal one itself is changed by little, and so are half of the others beforehand: what
    tells kinds apart is not to be the archive's look.
    """
    usual = _usual(radiograph, rng)
    width = usual.shape[1]
    kept = int(width * rng.uniform(0.45, 0.55))
    columns = slice(0, kept) if rng.random() < 0.5 else slice(width - kept, width)
    return {
        FRONTAL: usual,
        "devices": devices(usual, rng),
        "hard_window": hard_window(usual, rng),
        "inverted": (1 - usual).astype(np.float32),
        "turned": np.ascontiguousarray(np.rot90(usual, int(rng.integers(1, 4)))),
        "half_chest": np.ascontiguousarray(usual[:, columns]),
        "noise": _nothing(usual, rng),
    }


def _usual(image: Float32Map, rng: Generator) -> Float32Map:
    """As archives differ: mirrored never, a little cropped, brighter, harsher or noisier."""
    height, width = image.shape
    cut = rng.uniform(0, 0.06, 4)
    image = image[
        int(height * cut[0]) : height - int(height * cut[1]),
        int(width * cut[2]) : width - int(width * cut[3]),
    ]
    drawn = rng.random()
    if drawn < 0.2:
        return np.asarray(0.5 * image + 0.5 * local_equalisation(image, rng), np.float32)
    if drawn < 0.4:
        return np.asarray(0.6 * image + 0.4 * gamma(image, rng), np.float32)
    if drawn < 0.5:
        return np.asarray(0.8 * image + 0.2 * noise(image, rng), np.float32)
    return np.ascontiguousarray(image)


def _nothing(image: Float32Map, rng: Generator) -> Float32Map:
    """A picture without a picture: noise of any grain, a gradient, or one value."""
    drawn = rng.random()
    if drawn < 0.2:
        return np.full_like(image, rng.uniform(0, 1))
    if drawn < 0.4:
        ramp = np.linspace(rng.uniform(0, 1), rng.uniform(0, 1), image.shape[0], dtype=np.float32)
        return np.ascontiguousarray(np.broadcast_to(ramp[:, None], image.shape))
    cells = int(2 ** rng.uniform(2, 8))
    grain = rng.random((cells, cells)).astype(np.float32)
    rows = (np.arange(image.shape[0]) * cells) // image.shape[0]
    columns = (np.arange(image.shape[1]) * cells) // image.shape[1]
    return grain[np.ix_(rows, columns)]
