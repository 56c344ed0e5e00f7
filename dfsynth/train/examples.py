"""One radiograph with its lungs → one training example, drawn anew every time."""

from dataclasses import dataclass

import numpy as np

from dfsynth.preprocess import to_unit_range
from dfsynth.records import Float32Map, IntensityWindow
from dfsynth.simulate import (
    CohortScattering,
    dark_field_noise_sigma,
    draw_scattering,
    transmission_from_display,
)
from dfsynth.train.augment import Augmentation, add_gas, change_look, draw_affine, warp

_DETECTOR_SIDE = 947
"""Pixels across the published images (Felsner et al. 2026); a coarser grid bins their photons."""
_SHADOW_OF_AIR = 0.02


@dataclass(frozen=True, slots=True)
class Radiograph:
    """A real radiograph in the training grid, with the shape of its lungs; all (y, x)."""

    patient_id: str
    image: Float32Map
    lung: Float32Map
    """1 inside the lung outline, 0 outside."""
    hidden: Float32Map
    """1 in lung that outlines leave out."""
    relative_thickness: Float32Map
    aeration: Float32Map


@dataclass(frozen=True, slots=True)
class Example:
    """What a network sees and should say; all (y, x) float32."""

    image: Float32Map
    dark_field: Float32Map
    """With noise; unclipped."""
    dark_field_clean: Float32Map
    lung: Float32Map
    lung_weight: Float32Map
    """0 where nobody can say from an outline whether there is lung."""


def draw_example(
    radiograph: Radiograph,
    cohort: CohortScattering,
    augmentation: Augmentation | None,
    window: IntensityWindow,
    rng: np.random.Generator,
) -> Example:
    """Draws position and look (unless `augmentation` is None), patient coefficient and noise."""
    maps = [
        radiograph.image,
        radiograph.lung,
        radiograph.hidden,
        radiograph.relative_thickness,
        radiograph.aeration,
    ]
    if augmentation is not None:
        maps = warp(maps, draw_affine(augmentation, radiograph.image.shape[1], rng))
    image, lung, hidden, thickness, aeration = maps
    clean = draw_scattering(cohort, thickness, aeration, rng)
    sigma = dark_field_noise_sigma(
        clean,
        transmission_from_display(image),
        photons=_binned(10 ** rng.uniform(4.5, 6.0), image.shape[1]),
        visibility=rng.uniform(0.2, 0.4),
        reference_photons=_binned(1e6, image.shape[1]),
    )
    noisy = clean + sigma * rng.standard_normal(clean.shape, np.float32)
    if augmentation is not None:
        if augmentation.gas_share and rng.random() < augmentation.gas_share:
            image = add_gas(image, np.maximum(lung, hidden), rng)
        image = to_unit_range(change_look(image, augmentation, rng), window)
    return Example(
        image=image,
        dark_field=noisy.astype(np.float32),
        dark_field_clean=clean,
        lung=(lung > 0.5).astype(np.float32),
        lung_weight=(hidden < _SHADOW_OF_AIR).astype(np.float32),
    )


def _binned(photons: float, side: int) -> float:
    """Photons a pixel of a grid of `side` pixels, for `photons` a pixel of the detector."""
    return photons * (_DETECTOR_SIDE / side) ** 2
