"""Slices of volumes as subjects of pairs: their names, and in which order they are taken."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dfsynth.records import Subject
from dfsynth.simulation.volumes.candidate import VolumeCandidate

_SLICES_A_ROUND: Final = 8
"""Of each volume, before the next one's: memory holds few volumes, and a store of few pairs should
still have slices of many people."""
_NAME: Final = re.compile(r"(.*)/slice-(\d{4,})")
_GOLDEN: Final = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class VolumeSlices:
    """The slices of one volume that can be used."""

    candidate: VolumeCandidate
    indices: tuple[int, ...]
    """From the feet up, counted from 0."""


def slice_name(key: str, index: int) -> str:
    """What a plan calls slice `index` of the volume `key`."""
    return f"{key}/slice-{index:04d}"


def parse_slice_name(name: str) -> tuple[str, int]:
    """What `slice_name` was made of: the volume's key and the index of the slice.

    Raises:
        ValueError: it is no name of a slice.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} names no slice of a volume; expected VOLUME/slice-NNNN")
    return found[1], int(found[2])


def order_slices(volumes: Sequence[VolumeSlices]) -> list[Subject]:
    """Every slice once, as subjects of the origin `volume`; a beginning has slices of all heights.

    Some slices of each volume follow each other, then some of the next one's, and so on round.
    """
    waiting = [(volume.candidate, _spread(volume.indices)) for volume in volumes]
    found: list[Subject] = []
    start = 0
    while any(start < len(indices) for _, indices in waiting):
        for candidate, indices in waiting:
            found += (
                Subject(
                    f"volume:{candidate.patient}",
                    "volume",
                    slice_name(candidate.key, index),
                    candidate.license,
                )
                for index in indices[start : start + _SLICES_A_ROUND]
            )
        start += _SLICES_A_ROUND
    return found


def _spread(indices: Sequence[int]) -> list[int]:
    """The same in an order whose every beginning is spread evenly: by the golden ratio."""
    places = [(place * _GOLDEN) % 1.0 for place in range(len(indices))]
    ranks = sorted(range(len(indices)), key=places.__getitem__)
    taken: list[int] = [0] * len(indices)
    for rank, place in enumerate(ranks):
        taken[place] = indices[rank]
    return taken
