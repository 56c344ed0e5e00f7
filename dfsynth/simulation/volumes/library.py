"""The volumes below a folder: which can be used, and each made ready when it is asked for."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import Final, Generic, TypeVar

import torch

from dfsynth.errors import DfsynthError, ErrorCode, ImageError
from dfsynth.simulation.input_files import fingerprint_files
from dfsynth.simulation.volumes.candidate import VolumeCandidate
from dfsynth.simulation.volumes.listing import VolumeListing, list_volumes
from dfsynth.simulation.volumes.modality import Modality

VOLUMES_KEPT: Final = 4
"""Volumes in memory, up to some 200 MB each; a run over more goes through them round-robin."""
_Ready = TypeVar("_Ready")


@dataclass(frozen=True, slots=True)
class UsableVolumes:
    """What was found below a folder."""

    candidates: tuple[VolumeCandidate, ...]
    """Those that can be used, by key."""
    excluded: Mapping[str, int]
    """How many files and volumes cannot be used, by reason."""
    warnings: tuple[str, ...]
    """A line for each of them: which, and why."""


class VolumeLibrary(Generic[_Ready]):
    """Volumes of one folder; asked by several threads at once."""

    def __init__(
        self,
        root: Path,
        modality: Modality,
        build: Callable[[VolumeCandidate], _Ready],
        *,
        labels: str | None = None,
        kept: int = VOLUMES_KEPT,
        listing: Callable[[], VolumeListing] | None = None,
    ) -> None:
        """Volumes below `root`; reads nothing yet.

        Args:
            root: the folder of volumes.
            modality: of DICOM series that count.
            build: reads a volume and makes it ready; raises ImageError where it cannot be used.
            labels: the name of a table at the root that may say whose the volumes are.
            kept: how many stay in memory.
            listing: lists the volumes, where not every one below `root` is one of its own; else
                `list_volumes` does.
        """
        self._root = root
        self._modality = modality
        self._build = build
        self._labels = labels
        # Once: it opens every DICOM slice, and each volume that comes back to memory asks for it.
        self._list = cache(listing or partial(list_volumes, root, modality, labels))
        self._kept = _Cache(self._make, kept)

    def find_usable(
        self, look: Callable[[VolumeCandidate, _Ready], None] | None = None
    ) -> UsableVolumes:
        """Makes every volume ready once, and says which can be used.

        `look` is called with each that can, in the order of their keys.

        Raises:
            UsageError: the folder cannot be used at all.
        """
        listing, option = self._list(), self._modality.option
        usable: list[VolumeCandidate] = []
        warnings: list[str] = []
        excluded: Counter[str] = Counter()
        if listing.excluded:
            excluded[f"no_{self._modality.name.lower()}_volume"] = len(listing.excluded)
        for candidate in listing.candidates:
            try:
                ready = self._kept.get(candidate.key, candidate)
            except ImageError as error:
                warnings.append(f"{option}: {error}")
                excluded[error.code.value] += 1
            else:
                usable.append(candidate)
                if look is not None:
                    look(candidate, ready)
        warnings += [f"{option}: {path} left out: {why}" for path, why in listing.excluded]
        return UsableVolumes(tuple(usable), dict(excluded), tuple(warnings))

    def fingerprint(self) -> str:
        """A hash of names, sizes and times of change of the volumes and their table; quick."""
        files = (file for candidate in self._list().candidates for file in candidate.files)
        names = [file.relative_to(self._root).as_posix() for file in files]
        if self._labels is not None and (self._root / self._labels).exists():
            names.append(self._labels)
        return fingerprint_files(self._root, names)

    def get(self, key: str) -> _Ready:
        """A volume that could be used when the store was planned.

        Raises:
            DfsynthError: it cannot now; a failed row would stay.
        """
        try:
            return self._kept.get(key, None)
        except torch.OutOfMemoryError:
            raise
        except (ImageError, OSError, RuntimeError) as error:
            why = str(error).removeprefix(f"{key}: ")
            raise DfsynthError(
                f"{self._modality.option}: {key}: the volume was usable when the store was planned "
                f"and is not now ({why}); bring it back, and run the same command again"
            ) from error

    def _make(self, key: str, candidate: VolumeCandidate | None) -> _Ready:
        return self._build(self._find(key) if candidate is None else candidate)

    def _find(self, key: str) -> VolumeCandidate:
        found = next((c for c in self._list().candidates if c.key == key), None)
        if found is None or not all(file.is_file() for file in found.files):
            raise ImageError(ErrorCode.MISSING, f"{key}: it is not there")
        return found


class _Cache(Generic[_Ready]):
    """The last few volumes; each is made once, however many threads ask for it."""

    def __init__(self, build: Callable[[str, VolumeCandidate | None], _Ready], most: int) -> None:
        self._build = build
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[str, Future[_Ready]] = OrderedDict()

    def get(self, key: str, candidate: VolumeCandidate | None) -> _Ready:
        """A volume made ready; what went wrong is not kept.

        Raises:
            ImageError: it cannot be used.
        """
        with self._lock:
            future = self._kept.get(key)
            mine = future is None
            if future is None:
                future = self._kept[key] = Future()
                while len(self._kept) > self._most:
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
