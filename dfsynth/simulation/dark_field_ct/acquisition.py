"""Photons that the detector counts, rotation by rotation."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from dfsynth.simulation.dark_field_ct.geometry import ScanGeometry
from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings
from dfsynth.simulation.dark_field_ct.vibration import FringePhase, blur_visibility


@dataclass(frozen=True, slots=True)
class Exposure:
    """One rotation: what was counted, and at which fringe phase, both (shots, detector_pixels)."""

    counts: torch.Tensor
    """Photons, ≥ 0."""
    phase_rad: torch.Tensor


@dataclass(frozen=True, slots=True)
class Scanner:
    """Exposes rotation after rotation on one device."""

    settings: ScanSettings
    geometry: ScanGeometry
    device: torch.device

    def expose(
        self,
        attenuation: torch.Tensor,
        dark_field: torch.Tensor,
        phase: FringePhase,
        rotations: int,
        rng: np.random.Generator,
    ) -> Iterator[Exposure]:
        """Exposes an object at rest to `rotations` turns, one at a time to spare memory.

        I = N0 T (1 + V0 blur exp(-D) cos phi), with T = exp(-`attenuation`) and D = `dark_field`,
        both line integrals (shots, detector_pixels) or what broadcasts to it.
        """
        settings = self.settings
        open_photons = settings.photons * torch.exp(-attenuation)
        visibility = settings.visibility * torch.exp(-dark_field)
        shots = torch.arange(settings.shots_per_rotation, dtype=torch.float64, device=self.device)
        position = self.geometry.detector_position(self.device)
        for rotation in range(rotations):
            time_s = (shots + 0.5) * settings.shot_s + rotation * settings.rotation_s
            phase_rad, rate = phase.at(time_s, position)
            fringe = visibility * blur_visibility(rate, settings.shot_s) * phase_rad.cos()
            counts = open_photons * (1 + fringe)
            if settings.photon_noise:
                counts = count_photons(counts, rng)
            yield Exposure(counts, phase_rad)


def count_photons(mean: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Counts of the shape of their `mean` ≥ 0, in photons, as a Poisson process would give them.

    Normal deviates z become mean + z sqrt(mean) + (z² - 1) / 6, not rounded, which has the first
    three cumulants of a Poisson distribution (Cornish-Fisher expansion; Fisher and Cornish,
    Technometrics 2, 1960). The fits are linear in the counts, so that their means and covariances
    are exact. A count takes one deviate whatever its mean is, drawn by NumPy, so that equal seeds
    give equal scans on every device.
    """
    drawn = rng.standard_normal(tuple(mean.shape), np.float32)
    deviates = torch.from_numpy(drawn).to(mean.device, non_blocking=True)
    skewed = torch.addcmul(mean - 1 / 6, deviates, deviates, value=1 / 6)
    return skewed.addcmul_(deviates, mean.sqrt()).clamp_(min=0)
