"""Numbers that say in what two sets of images differ: grey levels, texture by scale, lungs."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from radiographs import LabelledImage, to_eight_bits, to_square

from dfsynth.records import Float32Map
from dfsynth.statistics import auroc

BANDS_PX = (2, 4, 8, 16, 32)
"""Detail between one of these and its double; the finest is all that the grid holds below 4."""
_PERCENTILES = (5, 25, 50, 75, 95)
_LEAST_LUNG = 0.03


Numbers = dict[str, float]


def tabulate(
    real: Sequence[LabelledImage], simulated: Sequence[LabelledImage], side: int
) -> dict[str, dict[str, float]]:
    """Medians of each number in both sets, and how well it alone tells them apart (AUROC).

    0.5 cannot tell; over 0.5, simulated images have more of it. The most telling come first.
    """
    ours, theirs = ([_numbers_of(d, side) for d in entries] for entries in (simulated, real))
    found = {}
    for name in sorted({n for numbers in (*ours, *theirs) for n in numbers}):
        high = np.array([n[name] for n in ours if name in n])
        low = np.array([n[name] for n in theirs if name in n])
        if len(high) and len(low):
            simulated_one = np.repeat([False, True], [len(low), len(high)])
            found[name] = {
                "real": round(float(np.median(low)), 4),
                "simulated": round(float(np.median(high)), 4),
                "auroc": round(auroc(np.concatenate([low, high]), simulated_one), 3),
            }
    return dict(sorted(found.items(), key=lambda item: -abs(item[1]["auroc"] - 0.5)))


def describe(image: NDArray[np.uint8], lung: NDArray[np.bool_] | None) -> Numbers:
    """Of an 8-bit image (y, x); with `lung` (y, x) also of the lung field and its rim."""
    unit = image.astype(np.float32) / np.float32(255)
    values = {
        f"grey, percentile {p}": float(v)
        for p, v in zip(_PERCENTILES, np.percentile(unit, _PERCENTILES), strict=True)
    }
    values["share of black"] = float(np.mean(image <= 2))
    values["share of white"] = float(np.mean(image >= 253))
    bands = split_bands(unit)
    for scale, band in bands.items():
        values[f"detail {scale} px, whole"] = _spread(band)
    if lung is not None and lung.mean() > _LEAST_LUNG:
        inner = cv2.erode(lung.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        near = cv2.dilate(lung.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
        outside = near & ~(cv2.dilate(lung.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0)
        contrast = float(np.median(unit[outside]) - np.median(unit[inner]))
        values["lung, median grey"] = float(np.median(unit[inner]))
        values["around the lung minus lung"] = contrast
        values["lung, spread"] = float(unit[inner].std())
        values["lung, share of the image"] = float(lung.mean())
        for scale, band in bands.items():
            values[f"detail {scale} px, lung"] = _spread(band[inner])
        values["edge of the lung, steepest per px"] = _edge(unit, lung)
    return values


def split_bands(unit: Float32Map) -> dict[int, Float32Map]:
    """Differences of Gaussians: what lies between `scale` and twice `scale` pixels."""
    sharp = unit
    bands = {}
    for scale in BANDS_PX:
        smooth = np.asarray(cv2.GaussianBlur(unit, (0, 0), 0.35 * scale), np.float32)
        bands[scale] = np.asarray(sharp - smooth, np.float32)
        sharp = smooth
    return bands


def _numbers_of(entry: LabelledImage, side: int) -> Numbers:
    field = None
    # Masks that go on behind the heart would count it as lung.
    if entry.labels is not None and entry.source != "hannover":
        field = to_square(entry.labels == 1, side) > 0.5
    return describe(to_eight_bits(to_square(entry.pixels, side)), field)


def _spread(values: NDArray[np.float32]) -> float:
    """A standard deviation that burned-in letters do not decide: 1.48 × median deviation."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def _edge(unit: Float32Map, lung: NDArray[np.bool_]) -> float:
    """Median over the outline of the steepest slope within 3 pixels."""
    slope = np.hypot(cv2.Sobel(unit, -1, 1, 0, ksize=3), cv2.Sobel(unit, -1, 0, 1, ksize=3)) / 8
    steepest = cv2.dilate(slope.astype(np.float32), np.ones((7, 7), np.uint8))
    mask = lung.astype(np.uint8)
    outline = (mask - cv2.erode(mask, np.ones((3, 3), np.uint8))) > 0
    return float(np.median(steepest[outline]))
