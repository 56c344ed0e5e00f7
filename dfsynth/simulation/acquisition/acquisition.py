"""Line integrals → what a dark-field scanner delivers: all layers, in the order of nature."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dfsynth.records import Float32Map
from dfsynth.simulation.acquisition.blur import BlurParameters, blur_signals, draw_blur
from dfsynth.simulation.acquisition.hardening import (
    HardeningParameters,
    draw_hardening,
    residual_dark_field,
)
from dfsynth.simulation.acquisition.moire import MoireParameters, add_fringes, draw_moire
from dfsynth.simulation.acquisition.motion import MotionParameters, draw_motion, move
from dfsynth.simulation.acquisition.noise import NoiseParameters, draw_noise, measure_dark_field
from dfsynth.simulation.acquisition.scatter import (
    ScatterParameters,
    draw_slot_scatter,
    scatter_light,
)
from dfsynth.simulation.acquisition.spectrum import XrayTube, transmit
from dfsynth.simulation.acquisition.stripes import StripeParameters, draw_stripes, stripe_field

SCAN_LAYERS = ("motion", "hardening", "scatter", "blur", "moire", "noise", "stripes")
"""In the order in which they act."""
_LEAST_TRANSMISSION = 1e-7


@dataclass(frozen=True, slots=True)
class Projections:
    """Line integrals along the rays, all (y, x) float32, ≥ 0."""

    water_mm: Float32Map
    """Of everything but bone and metal: density over water's."""
    bone_mm: Float32Map
    """Cortical bone."""
    metal_mm: Float32Map
    """As iron."""
    dark_field: Float32Map
    """∫ eps dl and nothing else, dimensionless."""
    pixel_mm: float


@dataclass(frozen=True, slots=True)
class ImagingParameters:
    """A scanner and one scan; a layer that is None does nothing."""

    tube: XrayTube
    motion: MotionParameters | None = None
    hardening: HardeningParameters | None = None
    scatter: ScatterParameters | None = None
    blur: BlurParameters | None = None
    noise: NoiseParameters | None = None
    noise_seed: int = 0
    moire: MoireParameters | None = None
    stripes: StripeParameters | None = None


@dataclass(frozen=True, slots=True)
class Acquired:
    """A scan's registered pair, both (y, x) float32."""

    transmission: Float32Map
    """T ≥ 0; 1 in the open beam."""
    dark_field: Float32Map
    """D, unclipped; negative where noise says so."""


def draw_imaging(
    kvp: float, layers: frozenset[str], stream: Callable[[str], np.random.Generator]
) -> ImagingParameters:
    """The layers named (of `SCAN_LAYERS`), each drawn from `stream(name)`, the rest None.

    One stream a layer: switching one off changes nothing in the others. Moiré takes its
    visibility from the noise layer's stream, which is drawn whether on or off.
    """
    noise_stream = stream("noise")
    noise = draw_noise(noise_stream)
    return ImagingParameters(
        tube=XrayTube(kvp),
        motion=draw_motion(stream("motion")) if "motion" in layers else None,
        hardening=draw_hardening(stream("hardening")) if "hardening" in layers else None,
        scatter=draw_slot_scatter(stream("scatter")) if "scatter" in layers else None,
        blur=draw_blur(stream("blur")) if "blur" in layers else None,
        noise=noise if "noise" in layers else None,
        noise_seed=int(noise_stream.integers(2**63)),
        moire=draw_moire(noise.visibility, stream("moire")) if "moire" in layers else None,
        stripes=draw_stripes(stream("stripes")) if "stripes" in layers else None,
    )


def acquire(projections: Projections, parameters: ImagingParameters) -> Acquired:
    """The pair that a scan with `parameters` gives; a pure function of both.

    Scatter takes part in the photon noise before all but its residual is corrected away.
    """
    water, bone, metal = projections.water_mm, projections.bone_mm, projections.metal_mm
    dark_field, pixel_mm = projections.dark_field, projections.pixel_mm
    if parameters.motion is not None:
        water, bone, metal, dark_field = move(
            (water, bone, metal, dark_field), pixel_mm, parameters.motion
        )
    transmission = np.maximum(
        transmit(water, bone, parameters.tube, metal), np.float32(_LEAST_TRANSMISSION)
    )
    if parameters.hardening is not None:
        dark_field = dark_field + residual_dark_field(
            water, bone, parameters.tube, parameters.hardening
        )
    light = np.zeros_like(transmission)
    veil: Float32Map = light
    if parameters.scatter is not None:
        light = scatter_light(transmission, pixel_mm, parameters.scatter)
        veil = np.asarray(np.log1p(light / transmission), np.float32)
    dark_field, transmission = dark_field + veil, transmission + light
    if parameters.blur is not None:
        dark_field, transmission = blur_signals(dark_field, transmission, pixel_mm, parameters.blur)
    if parameters.moire is not None:
        dark_field, transmission = add_fringes(dark_field, transmission, pixel_mm, parameters.moire)
    # Stripes follow the light that arrived; what was counted is too rough to scale them with.
    arrived = transmission
    if parameters.noise is not None:
        rng = np.random.default_rng(parameters.noise_seed)
        dark_field, transmission = measure_dark_field(
            dark_field, transmission, pixel_mm, parameters.noise, rng
        )
    if parameters.stripes is not None:
        dark_field = dark_field + stripe_field(arrived, pixel_mm, parameters.stripes)
    if parameters.scatter is not None:
        corrected = np.float32(1 - parameters.scatter.residual)
        dark_field = dark_field - corrected * veil
        transmission = np.maximum(transmission - corrected * light, 0)
    return Acquired(np.asarray(transmission, np.float32), np.asarray(dark_field, np.float32))
