"""Model input → maps: checkpoints as networks, and seeded Monte-Carlo inference with them."""

from dfsynth.inference.degrading import CheckpointDegrader, load_degrader
from dfsynth.inference.dropout import dropout_masks
from dfsynth.inference.generator import CascadeGenerator
from dfsynth.inference.joining import join_members
from dfsynth.inference.map_generator import MapBatch, MapGenerator
from dfsynth.inference.montecarlo import MonteCarlo
from dfsynth.inference.weights import load_map_generator, load_network, save_checkpoint

__all__ = [
    "CascadeGenerator",
    "CheckpointDegrader",
    "MapBatch",
    "MapGenerator",
    "MonteCarlo",
    "dropout_masks",
    "join_members",
    "load_degrader",
    "load_map_generator",
    "load_network",
    "save_checkpoint",
]
