"""A conventional full-field exposure of the same body, as optical density before any processing."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dfsynth.records import Float32Map
from dfsynth.simulation.acquisition.blur import BlurParameters, spread_light
from dfsynth.simulation.acquisition.scatter import (
    ScatterParameters,
    draw_field_scatter,
    scatter_light,
)
from dfsynth.simulation.acquisition.spectrum import XrayTube, transmit
from dfsynth.simulation.display.appearance import Appearance
from dfsynth.simulation.display.motion_blur import (
    MotionBlurParameters,
    blur_moving_tissue,
    draw_motion_blur,
)

_LEAST_LIGHT = 1e-5


@dataclass(frozen=True, slots=True)
class ExposureParameters:
    """A room's tube, grid and detector."""

    tube: XrayTube
    scatter: ScatterParameters | None
    blur: BlurParameters | None
    """Of focal spot, detector and all resampling up to the archive."""
    motion_blur: MotionBlurParameters | None
    slope: tuple[float, float]
    """Rise of the open field's own −ln light over the width and the height of the image."""
    photons_per_mm2: float | None
    """Counted in the open field; None for no noise."""
    seed: int


_BLURS_MM: Final[dict[Appearance, tuple[float, float]]] = {
    "soft": (0.1, 0.8),
    "film": (0.1, 0.3),
    "crisp": (0.1, 0.25),
    "equalised": (0.1, 0.4),
    "bedside": (0.1, 0.6),
}


def draw_exposure(
    kvp: float, appearance: Appearance, rng: np.random.Generator
) -> ExposureParameters:
    """Scatter as drawn for full fields, always without grid at the bedside, and photon noise.

    Half a million photons a mm² in the open field give the detector dose of a stand, some
    2.5 µGy behind the lung; of them a detector counts a fifth to nearly all. The range, a
    twelfth of it to four times, is [assumed]. So are the blur, against edges measured in
    archives, and the field's slope: heel effect, a tilted beam.
    """
    scatter = draw_field_scatter(rng)
    ratio = float(rng.uniform(1.0, 3.0))
    if appearance == "bedside":
        scatter = ScatterParameters(scatter.sigma_mm, ratio, scatter.residual)
    return ExposureParameters(
        tube=XrayTube(kvp),
        scatter=scatter,
        blur=BlurParameters(sigma_mm=float(rng.uniform(*_BLURS_MM[appearance]))),
        motion_blur=draw_motion_blur(appearance == "bedside", rng),
        slope=(float(rng.normal(0, 0.04)), float(rng.normal(0, 0.1))),
        photons_per_mm2=float(np.exp(rng.uniform(np.log(4e4), np.log(2e6)))),
        seed=int(rng.integers(2**63)),
    )


def expose(
    water_mm: Float32Map,
    bone_mm: Float32Map,
    metal_mm: Float32Map,
    pixel_mm: float,
    parameters: ExposureParameters,
) -> Float32Map:
    """−ln of the light that arrives over that of the open field, (y, x), near 0 in air, at most 12.

    Line integrals (y, x) in mm as in `dfsynth.simulation.acquisition.Projections`.
    """
    if parameters.motion_blur is not None:
        water_mm = blur_moving_tissue(water_mm, pixel_mm, parameters.motion_blur)
    light = transmit(water_mm, bone_mm, parameters.tube, metal_mm)
    if parameters.scatter is not None:
        light = light + scatter_light(light, pixel_mm, parameters.scatter)
    if parameters.blur is not None:
        light = spread_light(light, pixel_mm, parameters.blur)
    if parameters.photons_per_mm2 is not None:
        counts = np.float32(parameters.photons_per_mm2 * pixel_mm**2)
        noise = np.random.default_rng(parameters.seed).standard_normal(light.shape, np.float32)
        light = light + np.sqrt(light / counts) * noise
    density = -np.log(np.maximum(light, _LEAST_LIGHT))
    right, down = (
        (rise * (np.arange(count) / max(count - 1, 1) - 0.5)).astype(np.float32)
        for rise, count in zip(parameters.slope, density.shape[::-1], strict=True)
    )
    return np.asarray(density + right + down[:, None], np.float32)
