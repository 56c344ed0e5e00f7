"""A conventional full-field exposure of the same body, as optical density before any processing."""

from dataclasses import dataclass

import numpy as np

from dfsynth.records import Float32Map
from dfsynth.simulate.imaging.blur import BlurParameters, spread_light
from dfsynth.simulate.imaging.scatter import (
    ScatterParameters,
    draw_field_scatter,
    scatter_light,
)
from dfsynth.simulate.imaging.spectrum import Tube, transmit

_LEAST_LIGHT = 1e-5


@dataclass(frozen=True, slots=True)
class ExposureParameters:
    """A room's tube, grid and detector."""

    tube: Tube
    scatter: ScatterParameters | None
    blur: BlurParameters | None
    photons_per_mm2: float | None
    """In the open field; None for no noise."""
    seed: int


def draw_exposure(kvp: float, bedside: bool, rng: np.random.Generator) -> ExposureParameters:
    """Scatter as drawn for full fields, always without grid at the bedside, and photon noise.

    Half a million photons a mm² in the open field give the detector dose of a stand, some
    2.5 µGy behind the lung; the range of five to either side is [assumed].
    """
    scatter = draw_field_scatter(rng)
    ratio = float(rng.uniform(1.0, 3.0))
    if bedside:
        scatter = ScatterParameters(scatter.sigma_mm, ratio, scatter.residual)
    return ExposureParameters(
        tube=Tube(kvp),
        scatter=scatter,
        blur=BlurParameters(sigma_mm=float(rng.uniform(0.1, 0.3))),
        photons_per_mm2=float(np.exp(rng.uniform(np.log(1e5), np.log(2.5e6)))),
        seed=int(rng.integers(2**63)),
    )


def expose(
    water_mm: Float32Map,
    bone_mm: Float32Map,
    metal_mm: Float32Map,
    pixel_mm: float,
    parameters: ExposureParameters,
) -> Float32Map:
    """−ln of the light that arrives over that of the open field, (y, x), 0 in air, ≤ 11.6.

    Line integrals (y, x) in mm as in `dfsynth.simulate.imaging.Projections`.
    """
    light = transmit(water_mm, bone_mm, parameters.tube, metal_mm)
    if parameters.scatter is not None:
        light = light + scatter_light(light, pixel_mm, parameters.scatter)
    if parameters.blur is not None:
        light = spread_light(light, pixel_mm, parameters.blur)
    if parameters.photons_per_mm2 is not None:
        counts = np.float32(parameters.photons_per_mm2 * pixel_mm**2)
        noise = np.random.default_rng(parameters.seed).standard_normal(light.shape, np.float32)
        light = light + np.sqrt(light / counts) * noise
    return np.asarray(-np.log(np.maximum(light, _LEAST_LIGHT)), np.float32)
