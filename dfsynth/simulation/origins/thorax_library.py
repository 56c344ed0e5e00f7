"""The CT volumes below a folder: which can be used, and each segmented when it is asked for."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import torch

from dfsynth.records import Subject
from dfsynth.simulation.ct import CtLimits, CtThorax, build_thorax, read_volume
from dfsynth.simulation.origins.origin import SubjectListing
from dfsynth.simulation.volumes import CT, VolumeCandidate
from dfsynth.simulation.volumes.library import VOLUMES_KEPT, VolumeLibrary

_PAIRS_A_ROUND: Final = 8
"""Of each volume where there are more volumes than memory holds."""


class ThoraxLibrary:
    """Segmented volumes of one folder; asked by several threads at once."""

    def __init__(
        self,
        root: Path,
        device: torch.device,
        check: Callable[[CtThorax], object] | None = None,
    ) -> None:
        """Volumes below `root`, computed on `device`; reads nothing yet.

        Args:
            root: the folder of volumes.
            device: where their tissue is kept.
            check: raises ImageError for a volume that is whole and can still not be used.
        """
        self._device = device
        self._check = check
        self._limits = CtLimits()
        self._volumes = VolumeLibrary(root, CT, self._build)

    def list_subjects(self, count: int) -> SubjectListing:
        """See `PairOrigin`. Reads and segments every volume, which takes some 10 s each.

        Raises:
            UsageError: the folder cannot be used at all.
        """
        found = self._volumes.find_usable()
        lines = _round_robin(found.candidates, count)
        return SubjectListing(lines, found.excluded, found.warnings)

    def fingerprint(self) -> str:
        """See `PairOrigin`."""
        return self._volumes.fingerprint()

    def thorax(self, key: str) -> CtThorax:
        """Of a volume that could be used when the store was planned.

        Raises:
            DfsynthError: it cannot now; a failed row would stay.
        """
        return self._volumes.get(key)

    def _build(self, candidate: VolumeCandidate) -> CtThorax:
        thorax = build_thorax(read_volume(candidate, self._limits), self._limits)
        if self._check is not None:
            self._check(thorax)
        return thorax.to(self._device)


def _round_robin(usable: Sequence[VolumeCandidate], count: int) -> list[Subject]:
    """Volume after volume; many volumes for a few pairs each, so that memory holds them."""
    pairs = 1 if len(usable) <= VOLUMES_KEPT else _PAIRS_A_ROUND
    chosen = (usable[number // pairs % len(usable)] for number in range(count if usable else 0))
    return [Subject(f"ct:{c.patient}", "ct", c.key, c.license) for c in chosen]
