"""Paired images for training and evaluation: opened, checked, grouped by patient, batched."""

from dfsynth.datasets.augmentation import DeviceAugmentation, augment
from dfsynth.datasets.batch import PairBatch, collate, read_batch
from dfsynth.datasets.checking import check_pairs
from dfsynth.datasets.judged_pairs import JudgedPairs
from dfsynth.datasets.opening import open_pairs
from dfsynth.datasets.protocol import PairImages, PairInfo, PairSource, indices_in
from dfsynth.datasets.reader import BatchReader
from dfsynth.datasets.unpaired import open_unpaired

__all__ = [
    "BatchReader",
    "DeviceAugmentation",
    "JudgedPairs",
    "PairBatch",
    "PairImages",
    "PairInfo",
    "PairSource",
    "augment",
    "check_pairs",
    "collate",
    "indices_in",
    "open_pairs",
    "open_unpaired",
    "read_batch",
]
