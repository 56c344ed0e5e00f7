"""The apparent dark-field of bone and soft tissue: the visibility of a hardened beam."""

from dataclasses import dataclass

import numpy as np

from dfsynth.records import Float32Map
from dfsynth.simulation.acquisition.spectrum import XrayTube, detected_spectrum, log_transmission

_THICKEST_MM = 800.0


@dataclass(frozen=True, slots=True)
class HardeningParameters:
    """The interferometer's visibility by energy, a Gaussian, and what correction leaves.

    Harder beams move away from the design energy or towards it, so the sign of the apparent
    dark-field follows from `centre_kev` and `sigma_kev`; it is not chosen.
    """

    centre_kev: float
    sigma_kev: float
    bone_residual: float
    """Share that stays of what bone adds beyond water of equal transmission, 0 to 1."""
    soft_residual: float
    """Share that stays of the apparent dark-field of that water, 0 to 1."""


def draw_hardening(rng: np.random.Generator) -> HardeningParameters:
    """Draws a centre of 40 to 47 keV, sigma 10 to 15 keV, bone residual 0 to 0.5 [assumed].

    Soft tissue keeps 0 to 0.1, about 0.02 in D, the order of what corrected images of cadavers
    show.
    """
    return HardeningParameters(
        centre_kev=float(rng.uniform(40, 47)),
        sigma_kev=float(rng.uniform(10, 15)),
        bone_residual=float(rng.uniform(0, 0.5)),
        soft_residual=float(rng.uniform(0, 0.1)),
    )


def apparent_dark_field(
    water_mm: Float32Map, bone_mm: Float32Map, tube: XrayTube, parameters: HardeningParameters
) -> Float32Map:
    """D of attenuation alone, before any correction, (y, x), either sign, 0 in the open beam.

    D = −ln[Σ w V exp(−mu t) / Σ w exp(−mu t)] + ln[Σ w V / Σ w], over water and cortical bone in
    mm (y, x).
    """
    spectrum = detected_spectrum(tube)
    distance = (spectrum.energy_kev - parameters.centre_kev) / parameters.sigma_kev
    fringes = spectrum.weight * np.exp(-(distance**2) / 2)
    seen = log_transmission(water_mm, bone_mm, fringes)
    passed = log_transmission(water_mm, bone_mm, spectrum.weight)
    return np.asarray(passed - seen + np.float32(np.log(fringes.sum())), np.float32)


def residual_dark_field(
    water_mm: Float32Map, bone_mm: Float32Map, tube: XrayTube, parameters: HardeningParameters
) -> Float32Map:
    """What a correction leaves of `apparent_dark_field`, (y, x), in D.

    Scanners are calibrated with slabs of one material: what water of the same transmission
    would show is subtracted, and ribs stay.
    """
    apparent = apparent_dark_field(water_mm, bone_mm, tube, parameters)
    slabs_mm = np.arange(0, _THICKEST_MM, 2.0, dtype=np.float32)[None]
    no_bone = np.zeros_like(slabs_mm)
    weight = detected_spectrum(tube).weight
    level = -log_transmission(water_mm, bone_mm, weight)
    levels = -log_transmission(slabs_mm, no_bone, weight)[0]
    shown = apparent_dark_field(slabs_mm, no_bone, tube, parameters)[0]
    water = np.interp(level, levels, shown).astype(np.float32)
    kept = parameters.bone_residual * (apparent - water) + parameters.soft_residual * water
    return np.asarray(kept, np.float32)
