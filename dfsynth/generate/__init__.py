"""Model input → maps: seeded Monte-Carlo inference in mixed precision, and checkpoints."""

from dfsynth.generate.checkpoint import load_network, save_checkpoint
from dfsynth.generate.generator import MapBatch, TorchGenerator
from dfsynth.generate.masks import dropout_masks
from dfsynth.generate.montecarlo import MonteCarlo
from dfsynth.generate.precision import resolve_device, resolve_precision

__all__ = [
    "MapBatch",
    "MonteCarlo",
    "TorchGenerator",
    "dropout_masks",
    "load_network",
    "resolve_device",
    "resolve_precision",
    "save_checkpoint",
]
