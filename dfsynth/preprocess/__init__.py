"""Pixels → the generator's input: geometry (and its inverse), then intensity."""

from dfsynth.preprocess.geometry import letterbox, to_grid, to_source
from dfsynth.preprocess.intensity import intensity_flags, to_unit_range
from dfsynth.preprocess.model_input import prepare

__all__ = ["intensity_flags", "letterbox", "prepare", "to_grid", "to_source", "to_unit_range"]
