"""Model input → maps: seeded Monte-Carlo inference in mixed precision, and checkpoints."""

from dfsynth.generate.checkpoint import (
    Checkpoint,
    ModelCard,
    checkpoint_path,
    load_checkpoint,
    save_checkpoint,
)
from dfsynth.generate.generator import MapBatch, TorchGenerator
from dfsynth.generate.masks import dropout_masks
from dfsynth.generate.montecarlo import MonteCarlo
from dfsynth.generate.precision import resolve_device, resolve_precision

__all__ = [
    "Checkpoint",
    "MapBatch",
    "ModelCard",
    "MonteCarlo",
    "TorchGenerator",
    "checkpoint_path",
    "dropout_masks",
    "load_checkpoint",
    "resolve_device",
    "resolve_precision",
    "save_checkpoint",
]
