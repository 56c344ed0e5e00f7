"""What is predicted outside the lung, where figures of the lung cannot see it.

Dark-field signal is next to none there; other outputs have values as much as anywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dfsynth.evaluate.measurement import PredictedImage
from dfsynth.statistics import Interval, Resamples


@dataclass(frozen=True, slots=True)
class OutsideSignal:
    """Mean of the pixels of one image outside its lung, in the unit of the map.

    NaN where no lung is known, or nothing lies outside it.
    """

    predicted: float
    """Of the last stage."""
    target: float
    """Of the target without noise where it is known, else as measured."""

    @property
    def excess(self) -> float:
        """What the prediction has too much; below 0 where it has too little."""
        return self.predicted - self.target


@dataclass(frozen=True, slots=True)
class OutsideLungScores:
    """Mean outside the lung over images, in the unit of the map."""

    predicted: Interval
    target: Interval
    excess: Interval
    """Predicted minus target."""
    highest_excess: float
    """Of the image that has most: an average hides the one that is lit."""
    highest_image: str
    """Its name."""


def measure_outside(image: PredictedImage) -> OutsideSignal:
    """The means of an image (y, x) outside its lung (y, x)."""
    if image.lung is None or image.lung.all():
        return OutsideSignal(float("nan"), float("nan"))
    outside = ~image.lung
    target = image.noisy if image.clean is None else image.clean
    predicted = image.stages[-1].mean
    return OutsideSignal(
        float(predicted[outside].mean(dtype=np.float64)),
        float(target[outside].mean(dtype=np.float64)),
    )


def summarise_outside(
    signals: Sequence[OutsideSignal], names: Sequence[str], resamples: Resamples
) -> OutsideLungScores | None:
    """The figures of all images; null where no image has a lung.

    Args:
        signals: One for each image.
        names: Of the images, in the same order.
        resamples: Draws from them.
    """
    excess = np.array([signal.excess for signal in signals])
    if not np.isfinite(excess).any():
        return None
    highest = int(np.nanargmax(excess))
    return OutsideLungScores(
        predicted=resamples.mean(np.array([signal.predicted for signal in signals])),
        target=resamples.mean(np.array([signal.target for signal in signals])),
        excess=resamples.mean(excess),
        highest_excess=float(excess[highest]),
        highest_image=names[highest],
    )
