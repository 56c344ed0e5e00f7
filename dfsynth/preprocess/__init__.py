"""Image files and pixels → model inputs: decoding, geometry (and its inverse), intensity."""

from dfsynth.preprocess.from_bytes import Decoder, ModelInputReader, decoder_of
from dfsynth.preprocess.geometry import letterbox, to_grid, to_source
from dfsynth.preprocess.intensity import intensity_flags, to_unit_range, window_ends
from dfsynth.preprocess.model_input import prepare

__all__ = [
    "Decoder",
    "ModelInputReader",
    "decoder_of",
    "intensity_flags",
    "letterbox",
    "prepare",
    "to_grid",
    "to_source",
    "to_unit_range",
    "window_ends",
]
