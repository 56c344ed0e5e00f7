"""Model input → maps: seeded Monte-Carlo inference in mixed precision, and checkpoints."""

from dfsynth.inference.dropout import dropout_masks
from dfsynth.inference.generator import MapBatch, TorchGenerator
from dfsynth.inference.montecarlo import MonteCarlo
from dfsynth.inference.weights import load_network, save_checkpoint

__all__ = [
    "MapBatch",
    "MonteCarlo",
    "TorchGenerator",
    "dropout_masks",
    "load_network",
    "save_checkpoint",
]
