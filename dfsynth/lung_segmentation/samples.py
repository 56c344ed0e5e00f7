"""Training samples of a lung segmentation network: radiographs and what is known of their lungs."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dfsynth.lung_segmentation.augmentation import (
    LungAugmentation,
    add_gas,
    draw_affine,
    randomise_appearance,
    warp,
)
from dfsynth.lung_segmentation.network import LungPrediction
from dfsynth.lung_segmentation.regions import LungRegions
from dfsynth.preprocess import to_unit_range
from dfsynth.records import Float32Map, IntensityWindow

TRAINING_AUGMENTATION: Final = LungAugmentation(
    rotation_deg=15, scale=(0.7, 1.3), aspect=(0.75, 1.33), shift=0.1, gas_share=0.3
)
_UNSURE: Final = 0.25
"""Distance of a probability from 0 or 1 beyond which a pseudo-label says nothing."""
_NEAR_SHARE: Final = 0.06
"""Of the image's side: hidden lung may reach this far beyond the hull of the outlined lungs."""


@dataclass(frozen=True, slots=True)
class LungSample:
    """A radiograph and its lungs; all maps (y, x) float32 of one shape."""

    image: Float32Map
    """In [0, 1], dense bright."""
    field: Float32Map
    """1 in the lung field as people outline it."""
    any_lung: Float32Map
    """1 where the beam passes any lung."""
    thickness_mm: Float32Map
    """Path of the ray in lung, in mm, at least 0."""
    field_unknown: Float32Map
    """1 where `field` is not known and supervises nothing."""
    any_unknown: Float32Map
    """The same of `any_lung`."""
    thickness_unknown: Float32Map
    """The same of `thickness_mm`."""


def simulated_sample(
    attenuation: Float32Map, labels: NDArray[np.uint8], thickness_mm: Float32Map
) -> LungSample:
    """A simulated radiograph, of whose lungs everything is known.

    Args:
        attenuation: (y, x) in [0, 1], dense is bright.
        labels: (y, x); 0 no lung, 1 lung field, 2 hidden lung.
        thickness_mm: (y, x); path of the ray in lung, in mm.
    """
    known = np.zeros(attenuation.shape, np.float32)
    field, any_lung = (labels == 1).astype(np.float32), (labels > 0).astype(np.float32)
    return LungSample(attenuation, field, any_lung, thickness_mm, known, known, known)


def lung_field_sample(image: Float32Map, mask: NDArray[np.bool_]) -> LungSample:
    """A radiograph `image` (y, x) in [0, 1] on which people outlined the lung field, `mask` (y, x).

    Hidden lung may lie beside the field, not far from it, and is unknown there.
    """
    near = _hull(mask, round(_NEAR_SHARE * mask.shape[1])).astype(np.float32)
    field = mask.astype(np.float32)
    nowhere = np.zeros_like(field)
    return LungSample(image, field, field, nowhere, nowhere, near * (1 - field), near)


def whole_lung_sample(image: Float32Map, mask: NDArray[np.bool_]) -> LungSample:
    """A radiograph `image` (y, x) in [0, 1] on which people outlined all lung, `mask` (y, x).

    They drew it behind the heart too, so that the field is an unknown part of it; lung below the
    domes, which they left out, may lie beside it and is unknown.
    """
    near = _hull(mask, round(_NEAR_SHARE * mask.shape[1])).astype(np.float32)
    any_lung = mask.astype(np.float32)
    nowhere = np.zeros_like(any_lung)
    return LungSample(image, nowhere, any_lung, nowhere, any_lung, near * (1 - any_lung), near)


def pseudo_labelled_sample(
    image: Float32Map, prediction: LungPrediction, regions: LungRegions
) -> LungSample:
    """A radiograph `image` (y, x) in [0, 1] that nobody drew on, labelled by the network itself.

    Its own prediction supervises it where it is sure (self-training): seen again with another
    appearance, the radiograph must have the same lungs.
    """
    field, any_lung = regions.field.astype(np.float32), regions.any_lung.astype(np.float32)
    unsure = [
        (np.abs(probability - found) > _UNSURE).astype(np.float32)
        for probability, found in ((prediction.field, field), (prediction.any_lung, any_lung))
    ]
    thickness = prediction.thickness_mm * any_lung
    return LungSample(image, field, any_lung, thickness, unsure[0], unsure[1], unsure[1])


def augment_sample(
    sample: LungSample,
    augmentation: LungAugmentation,
    window: IntensityWindow,
    rng: np.random.Generator,
) -> LungSample:
    """Draws another position and appearance of a sample; shapes (y, x) and ranges stay.

    The thickness keeps its values: an image does not say how wide its pixels are.
    """
    maps = (
        sample.image,
        sample.field,
        sample.any_lung,
        sample.thickness_mm,
        sample.field_unknown,
        sample.any_unknown,
        sample.thickness_unknown,
    )
    image, field, any_lung, thickness, *unknown = warp(
        maps, draw_affine(augmentation, sample.image.shape[1], rng)
    )
    if rng.random() < augmentation.gas_share:
        image = add_gas(image, np.maximum(any_lung, unknown[1]), rng)
    changed = to_unit_range(randomise_appearance(image, augmentation, rng), window)
    field, any_lung = ((m > 0.5).astype(np.float32) for m in (field, any_lung))
    # What the resampling mixed with the unknown is unknown.
    no_field, no_any, no_thickness = ((m > 0).astype(np.float32) for m in unknown)
    return LungSample(changed, field, any_lung, thickness, no_field, no_any, no_thickness)


def draw_non_radiograph(side: int, rng: np.random.Generator) -> LungSample:
    """Draws an image (side, side) without any lung: noise of one scale, rods and ellipses."""
    grain = float(rng.choice([0.0, 1.0, 4.0, 16.0, 48.0]))
    noise = rng.standard_normal((side, side), np.float32)
    if grain:
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), grain), np.float32)
    noise = noise / noise.std() * np.float32(rng.uniform(0.02, 0.3))
    shapes = np.full((side, side), rng.uniform(0, 0.4), np.float32)
    for _ in range(rng.integers(0, 7)):
        centre = tuple(int(v) for v in rng.uniform(0, 1, 2) * side)
        axes = tuple(int(v) for v in side * np.exp(rng.uniform(-4.0, -0.9, 2)))
        grey = float(rng.uniform(0, 1))
        cv2.ellipse(shapes, centre, axes, float(rng.uniform(0, 180)), 0, 360, grey, -1)
    soft = cv2.GaussianBlur(shapes, (0, 0), float(rng.uniform(0.5, 8)))
    image = np.clip(soft + noise, 0, 1).astype(np.float32)
    nowhere = np.zeros_like(image)
    return LungSample(image, nowhere, nowhere, nowhere, nowhere, nowhere, nowhere)


def corrupt_sample(sample: LungSample, rng: np.random.Generator) -> LungSample:
    """Turns a sample's image (y, x) on its side or upside down, or inverts it; no lung remains.

    Such radiographs are to be refused, not segmented.
    """
    how = int(rng.integers(4))
    corrupted = 1 - sample.image if how == 0 else np.rot90(sample.image, how)
    nowhere = np.zeros_like(sample.image)
    image = np.ascontiguousarray(corrupted)
    return LungSample(image, nowhere, nowhere, nowhere, nowhere, nowhere, nowhere)


def _hull(mask: NDArray[np.bool_], margin: int) -> NDArray[np.bool_]:
    """The convex hull of `mask`, grown by `margin` pixels."""
    filled = np.zeros(mask.shape, np.uint8)
    if mask.any():
        points = np.argwhere(mask)[:, ::-1].astype(np.int32)
        cv2.fillConvexPoly(filled, np.asarray(cv2.convexHull(points), np.int32), 1)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1,) * 2)
    return np.asarray(cv2.dilate(filled, disk)) > 0
