"""What is measured of simulated scans, one draw of vibration and noise at a time."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from dfsynth.records import Float32Map
from dfsynth.simulation.dark_field_ct.acquisition import Exposure, count_photons
from dfsynth.simulation.dark_field_ct.retrieval import FringeSums
from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings
from dfsynth.simulation.dark_field_ct.scanning import ScannedSlice, scan
from dfsynth.simulation.dark_field_ct.slice_object import SliceObject
from dfsynth.simulation.dark_field_ct.validation.phantoms import (
    LUNG_PER_M,
    away_from_edges,
    disc_in_the_axis,
    lungs_in_a_body,
)
from dfsynth.statistics import contrast_to_noise

_SIDE: Final = 200
_COARSE_SIDE: Final = 96
_CPU: Final = torch.device("cpu")
_STEADY: Final = ScanSettings(
    rotations=4, vibration_scale=0.0, drift_cycles_per_s=4 * 1600 / 31, photon_noise=False
)
"""No vibration and no noise; the drift shows a window of 31 shots four fringes, and thus all
phases."""
_LUNG_BOX: Final = np.s_[84:114, 130:160]
_AIR_BOX: Final = np.s_[10:40, 85:115]
"""30 × 30 pixels of 200 × 200, as Frey et al. take them, in the left lung and above the body."""
_SECTORS: Final = 36
_MIDDLE_FREQUENCIES: Final = (0.08, 0.3)
"""In cycles a pixel."""


@dataclass(frozen=True, slots=True)
class MeasuredScan:
    """Figures of one draw."""

    disc_error: float
    """Of the coefficient of a disc, parallel beam, over its true one: signed, no unit."""
    ellipse_error: float
    """The same of two elliptic lungs."""
    fan_error: float
    """The same of the lungs by a fan beam."""
    noise_ratio: float
    """Variance of the retrieved dark-field over (2 / V² − 1) / N of all N photons of the fit."""
    cnr_1: float
    """Contrast to noise between lung and air, one rotation."""
    cnr_10: float
    """The same of ten rotations by virtual phase stepping."""
    cnr_20: float
    sector_variation: float
    """Of the streaks' power over 36 directions: standard deviation over mean."""
    still_variation: float
    """The same of white noise."""
    streaks_left: float
    """Power of the error without vibration over that with it; neither counts photons."""


def measure_scan(seed: int) -> MeasuredScan:
    """Scans known objects with the vibration and noise of one seed."""
    lungs, disc = lungs_in_a_body(_COARSE_SIDE, organs=False), disc_in_the_axis(_COARSE_SIDE)
    patient = lungs_in_a_body(_SIDE, organs=True)
    ten = _scan(patient, ScanSettings(rotations=10), seed)
    twenty = _scan(patient, ScanSettings(rotations=20), seed)
    shaken = _scan(patient, ScanSettings(rotations=1, photon_noise=False), seed)
    still = _scan(patient, replace(_STEADY, rotations=1), seed)
    streaks = shaken.single_rotation - still.single_rotation
    inside = away_from_edges(patient.lung_mask, patient.pixel_mm)
    left = still.single_rotation[inside].var() / shaken.single_rotation[inside].var()
    white = np.random.default_rng(seed).standard_normal(streaks.shape, np.float32)
    return MeasuredScan(
        disc_error=_error(disc, _STEADY, seed),
        ellipse_error=_error(lungs, _STEADY, seed),
        fan_error=_error(lungs, replace(_STEADY, beam="fan"), seed),
        noise_ratio=_noise_ratio(seed),
        cnr_1=box_contrast(ten.single_rotation, patient),
        cnr_10=box_contrast(ten.multi_rotation, patient),
        cnr_20=box_contrast(twenty.multi_rotation, patient),
        sector_variation=sector_variation(streaks),
        still_variation=sector_variation(white),
        streaks_left=float(left),
    )


def _scan(slice_object: SliceObject, settings: ScanSettings, seed: int) -> ScannedSlice:
    return scan(slice_object, settings, np.random.default_rng(seed), _CPU)


def _error(slice_object: SliceObject, settings: ScanSettings, seed: int) -> float:
    found = _scan(slice_object, settings, seed).multi_rotation
    inside = away_from_edges(slice_object.lung_mask, slice_object.pixel_mm)
    return float(found[inside].mean() / LUNG_PER_M - 1)


def _noise_ratio(seed: int) -> float:
    """Many fits to shots whose phases are spread evenly; Weitkamp's formula has no other terms."""
    photons, visibility, shots, fits = 1000.0, 0.25, 400, 4000
    phase = (2 * np.pi * np.arange(shots) / shots)[:, None] + np.zeros(fits)
    phase_rad = torch.from_numpy(phase.astype(np.float32))
    mean = photons * (1 + visibility * torch.cos(phase_rad))
    turn = Exposure(count_photons(mean, np.random.default_rng(seed)), phase_rad)
    found = float(FringeSums.of(turn).over_turn().fit().visibility.double().log().var())
    return found / ((2 / visibility**2 - 1) / (photons * shots))


def box_contrast(image: Float32Map, patient: SliceObject) -> float:
    """Contrast to noise of an image (200, 200): lung in one box against air in another."""
    lung = image[_LUNG_BOX][patient.lung_mask[_LUNG_BOX] == 1]
    return contrast_to_noise(lung, image[_AIR_BOX])


def sector_variation(error: Float32Map) -> float:
    """Of the power of an image (side, side) in 36 directions, over the middle frequencies.

    The standard deviation over the mean.
    """
    side = len(error)
    frequency = np.fft.fftfreq(side)
    power: NDArray[np.float64] = np.abs(np.fft.fft2(error)) ** 2
    size = np.hypot(frequency, frequency[:, None])
    angle = np.arctan2(frequency[:, None], frequency[None]) % np.pi
    ring = (size > _MIDDLE_FREQUENCIES[0]) & (size < _MIDDLE_FREQUENCIES[1])
    sector = np.minimum((angle / np.pi * _SECTORS).astype(int), _SECTORS - 1)
    means = np.array([power[ring & (sector == one)].mean() for one in range(_SECTORS)])
    return float(means.std() / means.mean())
