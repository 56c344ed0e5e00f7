"""The radiographs of a folder or a table: which can be used, each read when it is asked for."""

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from dfsynth.checkpoint import WEIGHTS
from dfsynth.errors import ErrorCode, ImageError
from dfsynth.lung_segmentation import (
    LungRegions,
    LungSegmenter,
    NotAChestRadiograph,
    load_lung_network,
    locate_lungs,
    packaged_lung_network,
)
from dfsynth.preprocess import ModelInputReader
from dfsynth.records import IntensityWindow, ModelInput, SourceItem, Subject
from dfsynth.simulation.input_files import fingerprint_files
from dfsynth.simulation.origins.origin import SubjectListing
from dfsynth.simulation.origins.radiograph_listing import (
    ListedRadiograph,
    find_usable,
    listed_radiographs,
    read_header,
    require_frontal,
)
from dfsynth.source import open_source
from dfsynth.source.licenses import LICENSES, UNKNOWN_LICENSE, read_licenses

LungCheck: TypeAlias = Callable[[LungRegions, tuple[slice, slice]], None]


@dataclass(frozen=True, slots=True, eq=False)
class ReadRadiograph:
    """One radiograph in the grid of the pairs."""

    ready: ModelInput
    sha256: str
    """Of the file, in hexadecimal."""

    @property
    def pixel_mm(self) -> float | None:
        """Pitch in the grid, in mm; None where the file does not tell."""
        found = self.ready.pixel_mm
        return None if found is None else found / self.ready.geometry.scale_x


class RadiographLibrary:
    """Frontal chest radiographs, of a folder or a table with paths; asked by several threads."""

    def __init__(self, place: Path, size: int, check: LungCheck | None = None) -> None:
        """Radiographs of the folder or table `place` in squares of `size`; reads nothing yet.

        Args:
            place: the folder or table.
            size: side of the grid in pixels.
            check: raises ImageError for lungs in their content that a task cannot use.

        Raises:
            UsageError: there is no source that can be opened.
        """
        self._check = check
        place = place.resolve()
        self._root = place if place.is_dir() else place.parent
        self._source = open_source(str(place), None)
        self._reader = ModelInputReader((size, size), IntensityWindow())
        self._lock = Lock()
        self._network: LungSegmenter | None = None

    def list_subjects(self, count: int) -> SubjectListing:
        """See `PairOrigin`. Looks at radiographs until `count` can be used, some 0.05 s each.

        Licences are those of `licenses.csv` beside the radiographs. A patient is who the table
        names, or else one that DICOM headers share.

        Raises:
            UsageError: there are no radiographs, or `licenses.csv` cannot be read.
        """
        listing = self._source.listing()
        licenses = read_licenses(self._root / LICENSES)
        found = find_usable(listed_radiographs(listing.table), self._examine, count)
        chosen = itertools.islice(itertools.cycle(found.usable), count)
        lines = [
            Subject(f"cxr:{patient or uri}", "cxr", uri, licenses.get(uri, UNKNOWN_LICENSE))
            for uri, patient in chosen
        ]
        refused = Counter(error.code.value for _, error in found.refused)
        excluded = dict(Counter(listing.excluded) + refused)
        return SubjectListing(lines, excluded, (*listing.warnings, *found.warnings()))

    def fingerprint(self) -> str:
        """See `PairOrigin`."""
        weights = packaged_lung_network() / WEIGHTS
        network = hashlib.sha256(weights.read_bytes()).hexdigest()[:16]
        names = (str(uri) for uri in self._source.listing().table["uri"].to_pylist())
        return f"{fingerprint_files(self._root, names)} read by {network}"

    def read(self, uri: str) -> ReadRadiograph:
        """One radiograph, by its path below the root.

        Raises:
            ImageError: it cannot be read.
        """
        data = self._bytes(uri)
        _, ready = self._reader(data)
        return ReadRadiograph(ready, hashlib.sha256(data).hexdigest())

    def load(self) -> LungSegmenter:
        """The packaged lung network, loaded once."""
        with self._lock:
            if self._network is None:
                self._network, _ = load_lung_network(packaged_lung_network())
            return self._network

    def find_lungs(self, ready: ModelInput) -> LungRegions:
        """The lungs of a radiograph.

        Raises:
            ImageError: this is no frontal chest radiograph.
        """
        try:
            return locate_lungs(ready.image, self.load()(ready.image), ready.geometry.content)
        except NotAChestRadiograph as error:
            raise ImageError(ErrorCode.NOT_A_CHEST, str(error)) from error

    def _examine(self, listed: ListedRadiograph) -> str | None:
        """The digest of the patient, if the file tells it.

        Raises:
            ImageError: this is no frontal radiograph of a chest that can be read.
        """
        require_frontal(listed.view)
        data = self._bytes(listed.uri)
        _, ready = self._reader(data)
        view, patient = read_header(data)
        require_frontal(view)
        lungs = self.find_lungs(ready)
        if self._check is not None:
            self._check(lungs, ready.geometry.content)
        return patient

    def _bytes(self, uri: str) -> bytes:
        return self._source.read(SourceItem(0, 0, uri, uri), self._reader.limits.max_bytes)
