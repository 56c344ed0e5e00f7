"""Moiré: fringes that remain when phase steps and flux are not what the fit believes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map

_STEPS = 6
_LEAST_RELATIVE_VISIBILITY = 0.05


@dataclass(frozen=True, slots=True)
class MoireParameters:
    """The errors of six phase steps, and the fringe pattern they act on."""

    phase_errors_rad: tuple[float, ...]
    flux_errors: tuple[float, ...]
    """Relative."""
    fringes_per_mm: float
    angle_rad: float
    """Of the fringes' normal against x."""
    bend_rad: float
    """Greatest departure of the fringe phase from a plane, over the image."""
    start_rad: float
    visibility: float
    """V0, 0 to 1."""


def draw_moire(visibility: float, rng: np.random.Generator) -> MoireParameters:
    """Draws what a correction leaves of the errors of a scan [assumed].

    Phase jitter 0.02 to 0.2 rad and flux jitter 0.1 to 1 %, log-uniform. Retrievals fit the steps'
    phases and fluxes along with the image; 3 to 30 % of the errors stay.
    `visibility` is V0 of the reference scan, 0 to 1.
    """
    left = np.exp(rng.uniform(np.log(0.03), np.log(0.3)))
    phase_sd = left * np.exp(rng.uniform(np.log(0.02), np.log(0.2)))
    flux_sd = left * np.exp(rng.uniform(np.log(0.001), np.log(0.01)))
    return MoireParameters(
        phase_errors_rad=tuple(map(float, rng.normal(0, phase_sd, _STEPS))),
        flux_errors=tuple(map(float, rng.normal(0, flux_sd, _STEPS))),
        fringes_per_mm=float(np.exp(rng.uniform(np.log(0.01), np.log(0.08)))),
        angle_rad=float(rng.uniform(0, np.pi)),
        bend_rad=float(rng.uniform(0, 2 * np.pi)),
        start_rad=float(rng.uniform(0, 2 * np.pi)),
        visibility=visibility,
    )


def fringe_phase(
    shape: tuple[int, int], pixel_mm: float, parameters: MoireParameters
) -> Float32Map:
    """The phase of the reference fringes in rad, (y, x)."""
    y, x = (np.arange(n, dtype=np.float32) - (n - 1) / 2 for n in shape)
    along = x[None, :] * np.cos(parameters.angle_rad) + y[:, None] * np.sin(parameters.angle_rad)
    bend = (2 * x[None, :] / shape[1]) * (2 * y[:, None] / shape[0])
    plane = 2 * np.pi * parameters.fringes_per_mm * pixel_mm * along
    return np.asarray(plane + parameters.bend_rad * bend + parameters.start_rad, np.float32)


def add_fringes(
    dark_field: Float32Map,
    transmission: Float32Map,
    pixel_mm: float,
    parameters: MoireParameters,
) -> tuple[Float32Map, Float32Map]:
    """(D, T) as the fit finds them from wrongly stepped curves, (y, x), without photon noise.

    Each step records T (1 + flux error) (1 + V cos(phi + phi_k + phase error)), V = V0 exp(−D),
    and the fit takes the steps for exact. Fringes in D come at once and twice phi's frequency.
    """
    phase = fringe_phase(dark_field.shape, pixel_mm, parameters)
    visibility = np.float32(parameters.visibility) * np.exp(-dark_field)
    steps = 2 * np.pi * np.arange(_STEPS) / _STEPS
    flux = 1 + np.asarray(parameters.flux_errors)
    turn = np.exp(1j * (steps + np.asarray(parameters.phase_errors_rad)))
    # With I_k = flux_k (1 + V/2 (e^(i phi) turn_k + its conjugate)), mean and first coefficient
    # are sums over k that do not depend on the pixel.
    half_wave = np.empty(phase.shape, np.complex64)
    half_wave.real, half_wave.imag = np.cos(phase), np.sin(phase)
    half_wave *= visibility / 2
    back = np.exp(-1j * steps)
    level, forward, mirrored = (
        np.complex64(np.mean(flux * factor)) for factor in (back, turn * back, turn.conj() * back)
    )
    mean = _real(flux.mean() + 2 * np.real(half_wave * np.complex64(np.mean(flux * turn))))
    first = level + forward * half_wave + mirrored * half_wave.conj()
    fitted = 2 * np.abs(first) / mean
    relative = np.maximum(fitted / visibility, _LEAST_RELATIVE_VISIBILITY)
    return _real(dark_field - np.log(relative)), _real(transmission * mean)


def _real(values: NDArray[np.floating]) -> Float32Map:
    return np.asarray(values, np.float32)
