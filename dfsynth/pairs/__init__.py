"""Paired images for training and evaluation: opened, checked, grouped by patient, batched."""

from dfsynth.pairs.augmentation import DeviceAugmentation, augment
from dfsynth.pairs.batch import PairBatch, collate, read_batch
from dfsynth.pairs.checking import check_pairs
from dfsynth.pairs.opening import open_pairs
from dfsynth.pairs.protocol import PairImages, PairRow, PairSource, numbers_in
from dfsynth.pairs.reader import BatchReader

__all__ = [
    "BatchReader",
    "DeviceAugmentation",
    "PairBatch",
    "PairImages",
    "PairRow",
    "PairSource",
    "augment",
    "check_pairs",
    "collate",
    "numbers_in",
    "open_pairs",
    "read_batch",
]
