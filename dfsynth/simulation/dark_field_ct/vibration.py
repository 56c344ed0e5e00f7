"""The fringe phase of a vibrating interferometer at every shot and detector pixel."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings, VibrationMode

_TILT_SHARE = 0.4
"""Amplitude of a mode's detector-dependent part, as a share of the mode's own [assumed]."""
_FREQUENCY_SPREAD = 0.03
"""Resonances lie where they lie: nothing locks them to the rotation [assumed]."""


@dataclass(frozen=True, slots=True)
class ModeDraw:
    """One resonance as it was in one scan; the paper's a_i, b_i, f_i and psi_i."""

    amplitude_rad: float
    tilt_rad: float
    """Amplitude that grows from -1 to 1 times this over the detector."""
    frequency_hz: float
    start_rad: float


@dataclass(frozen=True, slots=True)
class FringePhase:
    """phi(x, t) = phi_ref(x) + 2 pi drift t + sum (a_i + u b_i) sin(2 pi f_i t + psi_i).

    phi_ref is a moiré pattern: `start_rad` + pi `fringes` u, with u from -1 to 1 over the detector.
    """

    start_rad: float
    fringes: float
    """Moiré fringes over the whole detector."""
    drift_cycles_per_s: float
    modes: tuple[ModeDraw, ...]

    def at(self, time_s: torch.Tensor, position: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Phase in rad and its derivative in rad/s, both float32 (shots, detector_pixels).

        `time_s` (shots) are float64 instants in s, `position` (detector_pixels) is u.
        """
        drift = 2 * math.pi * self.drift_cycles_per_s
        common, tilt = drift * time_s, torch.zeros_like(time_s)
        common_rate, tilt_rate = torch.full_like(time_s, drift), torch.zeros_like(time_s)
        for mode in self.modes:
            angular = 2 * math.pi * mode.frequency_hz
            moved = torch.sin(angular * time_s + mode.start_rad)
            moving = angular * torch.cos(angular * time_s + mode.start_rad)
            common += mode.amplitude_rad * moved
            tilt += mode.tilt_rad * moved
            common_rate += mode.amplitude_rad * moving
            tilt_rate += mode.tilt_rad * moving
        # Whole cycles are of no use, and cost float32 its last digits.
        common = torch.remainder(common + self.start_rad, 2 * math.pi).float()[:, None]
        phase = torch.addcmul(
            common + math.pi * self.fringes * position, tilt.float()[:, None], position
        )
        rate = torch.addcmul(common_rate.float()[:, None], tilt_rate.float()[:, None], position)
        return phase, rate

    def parameters(self, prefix: str) -> dict[str, float]:
        """What was drawn, by names that begin with `prefix`."""
        drawn = {
            f"{prefix}_phase_start_rad": self.start_rad,
            f"{prefix}_moire_fringes": self.fringes,
        }
        for number, mode in enumerate(self.modes, 1):
            for field in ("frequency_hz", "amplitude_rad", "tilt_rad", "start_rad"):
                drawn[f"{prefix}_mode_{number}_{field}"] = getattr(mode, field)
        return drawn


def draw_phase(settings: ScanSettings, rng: np.random.Generator) -> FringePhase:
    """Draws one scan's vibration: amplitudes x U(0.5, 1.5), tilts independent [assumed]."""
    return FringePhase(
        start_rad=float(rng.uniform(0, 2 * np.pi)),
        fringes=float(rng.uniform(2, 6)),
        drift_cycles_per_s=settings.drift_cycles_per_s,
        modes=tuple(_draw_mode(mode, settings.vibration_scale, rng) for mode in settings.modes),
    )


def blur_visibility(rate_rad_per_s: torch.Tensor, shot_s: float) -> torch.Tensor:
    """Share of the visibility that is left when the phase moves during a shot, -0.22 to 1.

    sinc(phi' dt / 2 pi) with sinc(x) = sin(pi x) / (pi x): the mean of the moving cosine. Of the
    shape of the rates.
    """
    return torch.sinc(rate_rad_per_s * (shot_s / (2 * math.pi)))


def _draw_mode(mode: VibrationMode, scale: float, rng: np.random.Generator) -> ModeDraw:
    factor, tilt_factor = rng.uniform(0.5, 1.5, 2)
    sign = rng.choice((-1.0, 1.0))
    stretch = rng.uniform(1 - _FREQUENCY_SPREAD, 1 + _FREQUENCY_SPREAD)
    return ModeDraw(
        amplitude_rad=float(scale * mode.amplitude_rad * factor),
        tilt_rad=float(scale * _TILT_SHARE * mode.amplitude_rad * tilt_factor * sign),
        frequency_hz=float(mode.frequency_hz * stretch),
        start_rad=float(rng.uniform(0, 2 * np.pi)),
    )
