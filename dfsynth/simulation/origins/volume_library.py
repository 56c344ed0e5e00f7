"""The CT volumes below a folder: which can be used, and each segmented when it is asked for."""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Lock
from typing import Final

import torch

from dfsynth.errors import DfsynthError, ErrorCode, ImageError
from dfsynth.records import Subject
from dfsynth.simulation.ct import (
    CtCandidate,
    CtLimits,
    CtThorax,
    build_thorax,
    list_volumes,
    read_volume,
)
from dfsynth.simulation.origins.input_files import fingerprint_files
from dfsynth.simulation.origins.origin import SubjectListing

_VOLUMES_KEPT: Final = 4
"""Segmented volumes in memory, about 200 MB each; a run over more goes through them
round-robin."""
_PAIRS_A_ROUND: Final = 8
"""Of each volume where there are more volumes than memory holds."""


class VolumeLibrary:
    """Volumes of one folder; asked by several threads at once."""

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
        self._root = root
        self._device = device
        self._check = check
        self._limits = CtLimits()
        self._thoraxes = _ThoraxCache(self._build)

    def list_subjects(self, count: int) -> SubjectListing:
        """See `PairOrigin`. Reads and segments every volume, which takes some 10 s each.

        Raises:
            UsageError: the folder cannot be used at all.
        """
        listing = list_volumes(self._root)
        usable: list[CtCandidate] = []
        warnings: list[str] = []
        excluded: dict[str, int] = {}
        if listing.excluded:
            excluded["no_ct_volume"] = len(listing.excluded)
        for candidate in listing.candidates:
            try:
                self._thoraxes.get(candidate.key, candidate)
            except ImageError as error:
                warnings.append(f"--ct: {error}")
                excluded[error.code.value] = excluded.get(error.code.value, 0) + 1
            else:
                usable.append(candidate)
        warnings += [f"--ct: {path} left out: {why}" for path, why in listing.excluded]
        return SubjectListing(_round_robin(usable, count), excluded, warnings)

    def fingerprint(self) -> str:
        """See `PairOrigin`."""
        files = [file for c in list_volumes(self._root).candidates for file in c.files]
        names = (file.relative_to(self._root).as_posix() for file in files)
        return fingerprint_files(self._root, names)

    def thorax(self, key: str) -> CtThorax:
        """Of a volume that could be used when the store was planned.

        Raises:
            DfsynthError: it cannot now; a failed row would stay.
        """
        try:
            return self._thoraxes.get(key, None)
        except torch.OutOfMemoryError:
            raise
        except (ImageError, OSError, RuntimeError) as error:
            why = str(error).removeprefix(f"{key}: ")
            raise DfsynthError(
                f"--ct: {key}: the volume was usable when the store was planned and is not now "
                f"({why}); bring it back, and run the same command again"
            ) from error

    def _build(self, key: str, candidate: CtCandidate | None) -> CtThorax:
        if candidate is None:
            found = {c.key: c for c in list_volumes(self._root).candidates}
            if key not in found:
                raise ImageError(ErrorCode.MISSING, f"{key}: it is not there")
            candidate = found[key]
        thorax = build_thorax(read_volume(candidate, self._limits), self._limits)
        if self._check is not None:
            self._check(thorax)
        return thorax.to(self._device)


def _round_robin(usable: list[CtCandidate], count: int) -> list[Subject]:
    """Volume after volume; many volumes for a few pairs each, so that memory holds them."""
    pairs = 1 if len(usable) <= _VOLUMES_KEPT else _PAIRS_A_ROUND
    chosen = (usable[number // pairs % len(usable)] for number in range(count if usable else 0))
    return [Subject(f"ct:{c.patient}", "ct", c.key, c.license) for c in chosen]


class _ThoraxCache:
    """The last few segmented volumes; each is made once, however many threads ask for it."""

    def __init__(self, build: Callable[[str, CtCandidate | None], CtThorax]) -> None:
        self._build = build
        self._lock = Lock()
        self._kept: OrderedDict[str, Future[CtThorax]] = OrderedDict()

    def get(self, key: str, candidate: CtCandidate | None) -> CtThorax:
        """The thorax of a volume; what went wrong is not kept.

        Raises:
            ImageError: it cannot be used.
        """
        with self._lock:
            future = self._kept.get(key)
            mine = future is None
            if future is None:
                future = self._kept[key] = Future()
                while len(self._kept) > _VOLUMES_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
        if mine:
            try:
                future.set_result(self._build(key, candidate))
            except BaseException as error:
                future.set_exception(error)
                with self._lock:
                    # Who asks again finds no failure of the past.
                    if self._kept.get(key) is future:
                        del self._kept[key]
                raise
        return future.result()
