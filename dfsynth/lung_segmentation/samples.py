"""What teaches a lung reader: radiographs with what is known of their lungs."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dfsynth.lung_segmentation.augmentation import (
    Augmentation,
    add_gas,
    change_look,
    draw_affine,
    warp,
)
from dfsynth.lung_segmentation.network import LungReading
from dfsynth.lung_segmentation.regions import LungRegions
from dfsynth.preprocess import to_unit_range
from dfsynth.records import Float32Map, IntensityWindow

READER_AUGMENTATION: Final = Augmentation(
    rotation_deg=15, scale=(0.7, 1.3), aspect=(0.75, 1.33), shift=0.1, gas_share=0.3
)
_DOUBT: Final = 0.25
_NEAR_SHARE: Final = 0.06
"""Of the picture's side: hidden lung may reach this far beyond the hull of the outlined lungs."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A radiograph and its lungs; all (y, x) float32 of one shape."""

    image: Float32Map
    """In [0, 1], dense bright."""
    field: Float32Map
    """1 in the lung field as people outline it."""
    any_lung: Float32Map
    """1 where the beam passes any lung."""
    thickness_mm: Float32Map
    field_unknown: Float32Map
    """1 where `field` teaches nothing; so for the next two."""
    any_unknown: Float32Map
    thickness_unknown: Float32Map


def simulated_lesson(
    attenuation: Float32Map, labels: NDArray[np.uint8], thickness_mm: Float32Map
) -> Lesson:
    """All is known; `labels` (y, x) is 0 no lung, 1 lung field, 2 hidden lung."""
    known = np.zeros(attenuation.shape, np.float32)
    field, any_lung = (labels == 1).astype(np.float32), (labels > 0).astype(np.float32)
    return Lesson(attenuation, field, any_lung, thickness_mm, known, known, known)


def field_lesson(image: Float32Map, mask: NDArray[np.bool_]) -> Lesson:
    """People drew the lung field, `mask` (y, x): hidden lung may lie beside it, not far from it."""
    near = _hull(mask, round(_NEAR_SHARE * mask.shape[1])).astype(np.float32)
    field = mask.astype(np.float32)
    nowhere = np.zeros_like(field)
    return Lesson(image, field, field, nowhere, nowhere, near * (1 - field), near)


def whole_lesson(image: Float32Map, mask: NDArray[np.bool_]) -> Lesson:
    """People drew lung, also behind the heart, `mask` (y, x): the field is a part of it.

    Lung below the domes, which they left out, may lie beside it.
    """
    near = _hull(mask, round(_NEAR_SHARE * mask.shape[1])).astype(np.float32)
    any_lung = mask.astype(np.float32)
    nowhere = np.zeros_like(any_lung)
    return Lesson(image, nowhere, any_lung, nowhere, any_lung, near * (1 - any_lung), near)


def own_lesson(image: Float32Map, reading: LungReading, regions: LungRegions) -> Lesson:
    """A reader's own reading of a radiograph that nobody drew on, where it has no doubt.

    Seen again with another look, it teaches the reader not to mind the look.
    """
    field, any_lung = regions.field.astype(np.float32), regions.any_lung.astype(np.float32)
    doubts = [
        (np.abs(probability - found) > _DOUBT).astype(np.float32)
        for probability, found in ((reading.field, field), (reading.any_lung, any_lung))
    ]
    thickness = reading.thickness_mm * any_lung
    return Lesson(image, field, any_lung, thickness, doubts[0], doubts[1], doubts[1])


def draw_lesson(
    lesson: Lesson, augmentation: Augmentation, window: IntensityWindow, rng: np.random.Generator
) -> Lesson:
    """The lesson with another position and look.

    The thickness keeps its values: a picture does not say how wide its pixels are.
    """
    maps = (
        lesson.image,
        lesson.field,
        lesson.any_lung,
        lesson.thickness_mm,
        lesson.field_unknown,
        lesson.any_unknown,
        lesson.thickness_unknown,
    )
    image, field, any_lung, thickness, *unknown = warp(
        maps, draw_affine(augmentation, lesson.image.shape[1], rng)
    )
    if rng.random() < augmentation.gas_share:
        image = add_gas(image, np.maximum(any_lung, unknown[1]), rng)
    look = to_unit_range(change_look(image, augmentation, rng), window)
    field, any_lung = ((m > 0.5).astype(np.float32) for m in (field, any_lung))
    # What the resampling mixed with the unknown is unknown.
    no_field, no_any, no_thickness = ((m > 0).astype(np.float32) for m in unknown)
    return Lesson(look, field, any_lung, thickness, no_field, no_any, no_thickness)


def draw_nonsense(side: int, rng: np.random.Generator) -> Lesson:
    """A picture of (side, side) with no lung in it: noise of one scale, rods and ellipses."""
    grain = float(rng.choice([0.0, 1.0, 4.0, 16.0, 48.0]))
    picture = rng.standard_normal((side, side), np.float32)
    if grain:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), grain), np.float32)
    picture = picture / picture.std() * np.float32(rng.uniform(0.02, 0.3))
    shapes = np.full((side, side), rng.uniform(0, 0.4), np.float32)
    for _ in range(rng.integers(0, 7)):
        centre = tuple(int(v) for v in rng.uniform(0, 1, 2) * side)
        axes = tuple(int(v) for v in side * np.exp(rng.uniform(-4.0, -0.9, 2)))
        grey = float(rng.uniform(0, 1))
        cv2.ellipse(shapes, centre, axes, float(rng.uniform(0, 180)), 0, 360, grey, -1)
    soft = cv2.GaussianBlur(shapes, (0, 0), float(rng.uniform(0.5, 8)))
    image = np.clip(soft + picture, 0, 1).astype(np.float32)
    nowhere = np.zeros_like(image)
    return Lesson(image, nowhere, nowhere, nowhere, nowhere, nowhere, nowhere)


def spoil_lesson(lesson: Lesson, rng: np.random.Generator) -> Lesson:
    """The picture on its side, upside down or with black for white, in which no lung is taught.

    Such radiographs are to be refused, not read.
    """
    how = int(rng.integers(4))
    spoilt = 1 - lesson.image if how == 0 else np.rot90(lesson.image, how)
    nowhere = np.zeros_like(lesson.image)
    image = np.ascontiguousarray(spoilt)
    return Lesson(image, nowhere, nowhere, nowhere, nowhere, nowhere, nowhere)


def _hull(mask: NDArray[np.bool_], margin: int) -> NDArray[np.bool_]:
    """The convex hull of `mask`, grown by `margin` pixels."""
    filled = np.zeros(mask.shape, np.uint8)
    if mask.any():
        points = np.argwhere(mask)[:, ::-1].astype(np.int32)
        cv2.fillConvexPoly(filled, np.asarray(cv2.convexHull(points), np.int32), 1)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1,) * 2)
    return np.asarray(cv2.dilate(filled, disk)) > 0
