"""Pairs of a source → slices whose truth is known."""

from typing import Final, Literal, get_args

from dfsynth.datasets import PairImages, PairInfo
from dfsynth.evaluate.streaks.measure import SliceTruth

SliceKind = Literal["input", "restored", "target"]
SLICE_KINDS: Final[tuple[SliceKind, ...]] = get_args(SliceKind)
"""What is measured of a pair: one rotation, what is made of it, all rotations."""


def known_slice(pair: PairImages, info: PairInfo) -> SliceTruth | None:
    """What a pair knows of its slice, without padding; None where it lacks truth or masks.

    Maps (y, x) of the pair are in 1/m.
    """
    masks = pair.clean, pair.lung, pair.air
    if info.pixel_mm is None or any(found is None for found in masks):
        return None
    truth, lung, air = (found[pair.content] for found in masks if found is not None)
    return SliceTruth.find(truth, lung, air, info.pixel_mm)
