"""The origin `cxr`: real radiographs with a target drawn over them."""

import hashlib
import itertools
from collections import Counter
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np

from dfsynth.checkpoint import WEIGHTS
from dfsynth.errors import ErrorCode, ImageError
from dfsynth.lung_segmentation import (
    LungSegmenter,
    NotAChestRadiograph,
    load_lung_network,
    locate_lungs,
    packaged_lung_network,
)
from dfsynth.preprocess import ModelInputReader
from dfsynth.records import (
    Float32Map,
    IntensityWindow,
    MadePair,
    PairFacts,
    PairItem,
    SourceItem,
    Subject,
)
from dfsynth.simulation.acquisition import Acquired, Projections, acquire
from dfsynth.simulation.acquisition.equivalent import water_equivalent
from dfsynth.simulation.columns import merge_columns, scan_columns, tissue_columns
from dfsynth.simulation.cxr.target import CxrTarget, draw_cxr, lay_dark_field
from dfsynth.simulation.input_files import fingerprint_files
from dfsynth.simulation.layers import draw_layers
from dfsynth.simulation.origins.origin import SubjectListing
from dfsynth.simulation.origins.radiograph_listing import (
    ListedRadiograph,
    find_usable,
    listed_radiographs,
    read_header,
    require_frontal,
)
from dfsynth.simulation.pair import PairMaps
from dfsynth.simulation.sampling import SamplingOptions
from dfsynth.simulation.streams import Streams
from dfsynth.source import open_source
from dfsynth.source.licenses import LICENSES, UNKNOWN_LICENSE, read_licenses

_NOMINAL_PIXEL_MM: Final = 380.0
"""Over the side of the grid, where the file does not tell its pitch [assumed field in mm]."""


class RadiographOrigin:
    """Implements `PairOrigin`: real radiographs, of a folder or a table with paths."""

    def __init__(self, options: SamplingOptions, place: Path) -> None:
        """Radiographs of the folder or table `place`; reads nothing yet.

        Raises:
            UsageError: there is no source that can be opened.
        """
        self._options = options
        place = place.resolve()
        self._root = place if place.is_dir() else place.parent
        self._source = open_source(str(place), None)
        self._reader = ModelInputReader((options.size, options.size), IntensityWindow())
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

    def _examine(self, listed: ListedRadiograph) -> str | None:
        """The digest of the patient, if the file tells it.

        Raises:
            ImageError: this is no frontal radiograph of a chest that can be read.
        """
        require_frontal(listed.view)
        data = self._read(listed.uri)
        _, ready = self._reader(data)
        view, patient = read_header(data)
        require_frontal(view)
        try:
            locate_lungs(ready.image, self._load()(ready.image), ready.geometry.content)
        except NotAChestRadiograph as error:
            raise ImageError(ErrorCode.NOT_A_CHEST, str(error)) from error
        return patient

    def fingerprint(self) -> str:
        """See `PairOrigin`."""
        weights = packaged_lung_network() / WEIGHTS
        network = hashlib.sha256(weights.read_bytes()).hexdigest()[:16]
        names = (str(uri) for uri in self._source.listing().table["uri"].to_pylist())
        return f"{fingerprint_files(self._root, names)} read by {network}"

    def make(self, item: PairItem) -> MadePair:
        """See `PairOrigin`."""
        options, streams = self._options, Streams(item.seed)
        data = self._read(str(item.source))
        _, ready = self._reader(data)
        pixel_mm = None if ready.pixel_mm is None else ready.pixel_mm / ready.geometry.scale_x
        try:
            target = lay_dark_field(
                ready.image,
                ready.geometry.content,
                self._load()(ready.image),
                draw_cxr(streams, options.severity, options.without),
                streams,
                pixel_mm,
            )
        except NotAChestRadiograph as error:
            raise ImageError(ErrorCode.NOT_A_CHEST, str(error)) from error
        layers = draw_layers(streams, options.kvp, 0.0, options.without)
        projections = Projections(
            water_mm=water_equivalent(target.transmission, layers.scan.tube),
            bone_mm=np.zeros_like(ready.image),
            metal_mm=np.zeros_like(ready.image),
            dark_field=target.dark_field_clean,
            pixel_mm=pixel_mm or _NOMINAL_PIXEL_MM / options.size,
        )
        scan = acquire(projections, layers.scan)
        facts = PairFacts(
            source_sha256=hashlib.sha256(data).hexdigest(),
            severity=target.parameters.tissue.severity,
            laa950=target.laa950,
            eps_bar_per_m=target.eps_bar_per_m,
            sdf_m2=target.sdf_m2,
            lung_volume_l=target.lung_volume_l,
            pixel_mm=pixel_mm,
            kvp=None,
            n0=layers.photons,
            v0=layers.visibility,
            parameters=merge_columns(
                tissue_columns(target.parameters.tissue), scan_columns(layers.scan)
            ),
            flags=ready.flags,
            truth="semi-synthetic",
        )
        return MadePair(_maps(ready.image, target, scan).arrays, facts)

    def _read(self, uri: str) -> bytes:
        return self._source.read(SourceItem(0, 0, uri, uri), self._reader.limits.max_bytes)

    def _load(self) -> LungSegmenter:
        with self._lock:
            if self._network is None:
                self._network, _ = load_lung_network(packaged_lung_network())
            return self._network


def _maps(image: Float32Map, target: CxrTarget, scan: Acquired) -> PairMaps:
    return PairMaps(
        attenuation=image,
        transmission=scan.transmission,
        dark_field=scan.dark_field,
        dark_field_clean=target.dark_field_clean,
        lung_mask=target.lung_labels,
        lung_thickness_mm=target.lung_mm,
        severity=target.severity,
    )
