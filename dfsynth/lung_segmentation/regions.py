"""Predictions → two clean lungs, or the reason why an image is no frontal chest radiograph."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dfsynth.lung_segmentation.network import LungPrediction
from dfsynth.records import Float32Map

_LUNG_SHARE: Final = (0.06, 0.60)
"""Share of the image that lung fields may take."""
_SMALLER_LUNG: Final = 0.22
"""Least share of the other lung's area; one lung of a patient may be half opaque."""
_UNCERTAIN_SHARE: Final = 0.50
"""Most pixels between 0.2 and 0.8, in and around the lung fields, over the fields'. Of 358 frontal
radiographs 98 % lie below 0.4."""
_NEAR_SIDE: Final = 1 / 64
"""Of the image's side: how far around the lung fields uncertain pixels count."""
_CUT_SIDES: Final = (1 / 85, 1 / 42, 1 / 28, 1 / 21, 1 / 16)
"""Half the widths, as shares of the image's side, of bridges between lungs that are cut."""
_LEAST_CONTRAST: Final = 0.03
"""Standard deviation of grey values in [0, 1]."""
_OPEN_SIDE: Final = 1 / 64
"""Of the image's side: hidden lung thinner than twice this is left out."""


class NotAChestRadiograph(ValueError):  # noqa: N818 - it names what was found
    """The image is no frontal chest radiograph; the message is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class LungRegions:
    """Two lungs; all maps (y, x)."""

    field: NDArray[np.bool_]
    """As people outline it."""
    any_lung: NDArray[np.bool_]
    """With the hidden lung; holds the field."""

    @property
    def labels(self) -> NDArray[np.uint8]:
        """Labels (y, x): 0 no lung, 1 lung field, 2 hidden lung."""
        return np.where(self.field, 1, np.where(self.any_lung, 2, 0)).astype(np.uint8)


def locate_lungs(
    image: Float32Map, prediction: LungPrediction, content: tuple[slice, slice]
) -> LungRegions:
    """Finds the lungs of an image in what a network predicts of it.

    Args:
        image: (y, x) in [0, 1].
        prediction: its maps, (y, x).
        content: rows and columns of `image` that are not padding.

    Raises:
        NotAChestRadiograph: the image is blank, or holds no two lungs side by side.
    """
    inside = image[content]
    if float(inside.std()) < _LEAST_CONTRAST:
        raise NotAChestRadiograph("the image is blank: its grey values hardly differ")
    probability, any_lung = np.zeros_like(image), np.zeros(image.shape, np.uint8)
    probability[content] = prediction.field[content]
    any_lung[content] = prediction.any_lung[content] > 0.5
    field = clean_outline(separate_lungs(probability))
    _check_lungs(field, probability, inside.size)
    hidden = cv2.morphologyEx(any_lung, cv2.MORPH_OPEN, _disk(image.shape[1] * _OPEN_SIDE))
    return LungRegions(field, _touching(hidden > 0, field) | field)


def separate_lungs(probability: Float32Map) -> Float32Map:
    """Cuts a bridge over one half that joins the two lungs of a probability map (y, x).

    Apices meet above a heart that is turned. The map stays as it is where the lungs are apart, or
    where no erosion up to a sixteenth of the side separates them.
    """
    mask = (probability > 0.5).astype(np.uint8)
    for share in (0.0, *_CUT_SIDES):
        cores = cv2.erode(mask, _disk(mask.shape[1] * share))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(cores)
        largest = sorted(range(1, count), key=lambda i: -int(stats[i, cv2.CC_STAT_AREA]))[:2]
        areas = stats[largest, cv2.CC_STAT_AREA]
        if len(areas) < 2 or areas[1] < _SMALLER_LUNG * areas[0]:
            continue
        if share == 0:
            return probability
        first, second = (
            cv2.distanceTransform((labels != i).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
            for i in largest
        )
        # Where both cores are equally near; three pixels wide, so that nothing joins at a corner.
        gap = np.abs(first - second) < 1.5
        return np.where(gap, 0, probability).astype(np.float32)
    return probability


def clean_outline(probability: Float32Map) -> NDArray[np.bool_]:
    """The two largest connected parts over one half of `probability` (y, x), holes filled."""
    mask = (probability > 0.5).astype(np.uint8)
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened)
    order = sorted(range(1, count), key=lambda i: -int(stats[i, cv2.CC_STAT_AREA]))[:2]
    kept = np.isin(labels, order).astype(np.uint8)
    contours, _ = cv2.findContours(kept, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(kept)
    cv2.drawContours(filled, contours, -1, 1, cv2.FILLED)
    return filled > 0


def is_plausible(outline: NDArray[np.bool_], probability: Float32Map) -> bool:
    """Whether an outline (y, x) has two parts of comparable size and hardly an uncertain pixel.

    Stricter than `locate_lungs`: for training on a network's own predictions.
    """
    count, _, stats, _ = cv2.connectedComponentsWithStats(outline.astype(np.uint8))
    areas = sorted(stats[1:count, cv2.CC_STAT_AREA].tolist(), reverse=True)
    if len(areas) != 2 or not 0.08 < sum(areas) / outline.size < 0.55:
        return False
    return areas[1] / areas[0] > 0.4 and _count_uncertain(probability) / sum(areas) < 0.25


def _check_lungs(field: NDArray[np.bool_], probability: Float32Map, pixels: int) -> None:
    """Raises NotAChestRadiograph, with the first thing that does not fit."""
    count, _, stats, centres = cv2.connectedComponentsWithStats(field.astype(np.uint8))
    area, low, high = int(field.sum()), *_LUNG_SHARE
    if not low < area / pixels < high:
        raise NotAChestRadiograph(
            f"no frontal chest radiograph: lungs would take {area / pixels:.0%} of the image, "
            f"expected {low:.0%} to {high:.0%}"
        )
    areas = stats[1:count, cv2.CC_STAT_AREA]
    if len(areas) != 2 or areas.min() < _SMALLER_LUNG * areas.max():
        raise NotAChestRadiograph(
            "no frontal chest radiograph: expected two lungs of comparable size, found "
            f"{' and '.join(f'{a / area:.0%}' for a in areas)} of the lung area"
        )
    (x0, y0), (x1, y1) = centres[1:3]
    if abs(x0 - x1) < 1.2 * abs(y0 - y1):
        raise NotAChestRadiograph(
            "no upright frontal chest radiograph: the two lungs found are not side by side"
        )
    around = cv2.dilate(field.astype(np.uint8), _disk(field.shape[1] * _NEAR_SIDE)) > 0
    uncertain = _count_uncertain(probability[around]) / area
    if uncertain > _UNCERTAIN_SHARE:
        raise NotAChestRadiograph(
            "no frontal chest radiograph: pixels that may or may not be lung come to "
            f"{uncertain:.0%} of the lung's area, expected at most {_UNCERTAIN_SHARE:.0%}"
        )


def _disk(radius: float) -> NDArray[np.uint8]:
    size = 2 * round(radius) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _count_uncertain(probability: Float32Map) -> int:
    return int(((probability > 0.2) & (probability < 0.8)).sum())


def _touching(parts: NDArray[np.bool_], field: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The connected parts that touch the field."""
    _, labels = cv2.connectedComponents((parts | field).astype(np.uint8))
    kept = np.unique(labels[field])
    return np.isin(labels, kept[kept > 0]) & parts
