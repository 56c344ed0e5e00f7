"""Readings → lungs, or the reason why a picture is no frontal chest radiograph."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dfsynth.lung_segmentation.network import LungReading
from dfsynth.records import Float32Map

_LUNG_SHARE: Final = (0.06, 0.60)
"""Of the picture that lung fields may take."""
_SMALLER_LUNG: Final = 0.22
"""Least share of the other lung's area; one lung of a patient may be half opaque."""
_DOUBTFUL_SHARE: Final = 0.50
"""Most pixels between 0.2 and 0.8, in and around the lung fields, over the fields'. Of 358 frontal
radiographs 98 % lie below 0.4."""
_NEAR_SIDE: Final = 1 / 64
_CUT_SIDES: Final = (1 / 85, 1 / 42, 1 / 28, 1 / 21, 1 / 16)
"""Half the widths of bridges between lungs that are cut."""
_LEAST_CONTRAST: Final = 0.03
_CLOSE_SIDE: Final = 1 / 64


class NotAChestRadiograph(ValueError):  # noqa: N818 - it names what was found
    """The picture is no frontal chest radiograph; the message is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class LungRegions:
    """Two lungs; all (y, x)."""

    field: NDArray[np.bool_]
    """As people outline it."""
    any_lung: NDArray[np.bool_]
    """With the hidden lung; holds the field."""

    @property
    def labels(self) -> NDArray[np.uint8]:
        """0 none, 1 lung field, 2 hidden lung."""
        return np.where(self.field, 1, np.where(self.any_lung, 2, 0)).astype(np.uint8)


def locate_lungs(
    image: Float32Map, reading: LungReading, content: tuple[slice, slice]
) -> LungRegions:
    """The lungs of `image` (y, x) in [0, 1] by its reading; `content` is the picture's box in it.

    Raises:
        NotAChestRadiograph: the picture is blank, or what was read are no two lungs side by side.
    """
    inside = image[content]
    if float(inside.std()) < _LEAST_CONTRAST:
        raise NotAChestRadiograph("the picture is blank: its grey values hardly differ")
    probability, any_lung = np.zeros_like(image), np.zeros(image.shape, np.uint8)
    probability[content] = reading.field[content]
    any_lung[content] = reading.any_lung[content] > 0.5
    field = clean_outline(part_lungs(probability))
    _check_lungs(field, probability, inside.size)
    hidden = cv2.morphologyEx(any_lung, cv2.MORPH_OPEN, _disk(image.shape[1] * _CLOSE_SIDE))
    return LungRegions(field, _touching(hidden > 0, field) | field)


def part_lungs(probability: Float32Map) -> Float32Map:
    """`probability` (y, x) with a gap where a bridge over one half joins the two lungs.

    Apices meet above a heart that is turned. Unchanged where the lungs are apart, or where no
    erosion up to a sixteenth of the side parts them.
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
    """The two largest connected parts over one half, holes filled, (y, x)."""
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
    """Two parts of comparable size, a usual share of the picture, and few doubtful pixels."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(outline.astype(np.uint8))
    areas = sorted(stats[1:count, cv2.CC_STAT_AREA].tolist(), reverse=True)
    if len(areas) != 2 or not 0.08 < sum(areas) / outline.size < 0.55:
        return False
    return areas[1] / areas[0] > 0.4 and _doubtful(probability) / sum(areas) < 0.25


def _check_lungs(field: NDArray[np.bool_], probability: Float32Map, picture: int) -> None:
    """Raises NotAChestRadiograph, with the first thing that does not fit."""
    count, _, stats, centres = cv2.connectedComponentsWithStats(field.astype(np.uint8))
    area, low, high = int(field.sum()), *_LUNG_SHARE
    if not low < area / picture < high:
        raise NotAChestRadiograph(
            f"no frontal chest radiograph: lungs would take {area / picture:.0%} of the picture, "
            f"expected {low:.0%} to {high:.0%}"
        )
    areas = stats[1:count, cv2.CC_STAT_AREA]
    if len(areas) != 2 or areas.min() < _SMALLER_LUNG * areas.max():
        raise NotAChestRadiograph(
            "no frontal chest radiograph: expected two lungs of comparable size, found "
            f"{' and '.join(f'{a / area:.0%} of the lung area' for a in areas)}"
        )
    (x0, y0), (x1, y1) = centres[1:3]
    if abs(x0 - x1) < 1.2 * abs(y0 - y1):
        raise NotAChestRadiograph(
            "no upright frontal chest radiograph: the two lungs found are not side by side"
        )
    around = cv2.dilate(field.astype(np.uint8), _disk(field.shape[1] * _NEAR_SIDE)) > 0
    doubtful = _doubtful(probability[around]) / area
    if doubtful > _DOUBTFUL_SHARE:
        raise NotAChestRadiograph(
            f"no frontal chest radiograph: {doubtful:.0%} of the lung outline is doubtful, "
            f"expected at most {_DOUBTFUL_SHARE:.0%}"
        )


def _disk(radius: float) -> NDArray[np.uint8]:
    size = 2 * round(radius) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _doubtful(probability: Float32Map) -> int:
    return int(((probability > 0.2) & (probability < 0.8)).sum())


def _touching(parts: NDArray[np.bool_], field: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The connected parts that touch the field."""
    _, labels = cv2.connectedComponents((parts | field).astype(np.uint8))
    kept = np.unique(labels[field])
    return np.isin(labels, kept[kept > 0]) & parts
