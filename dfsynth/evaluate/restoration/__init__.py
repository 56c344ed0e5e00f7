"""Restored radiographs → contrast of their nodules and their power spectra, beside the truth."""

from dfsynth.evaluate.restoration.contrast import NoduleContrast, nodule_contrasts
from dfsynth.evaluate.restoration.drawing import draw_restoration
from dfsynth.evaluate.restoration.measurement import (
    KINDS,
    RestorationEvaluation,
    RestorationMeasurement,
    RestorationScores,
)
from dfsynth.evaluate.restoration.power_spectrum import log_spectral_distance, radial_power
from dfsynth.evaluate.restoration.sizes import SIZES, size_of

__all__ = [
    "KINDS",
    "SIZES",
    "NoduleContrast",
    "RestorationEvaluation",
    "RestorationMeasurement",
    "RestorationScores",
    "draw_restoration",
    "log_spectral_distance",
    "nodule_contrasts",
    "radial_power",
    "size_of",
]
