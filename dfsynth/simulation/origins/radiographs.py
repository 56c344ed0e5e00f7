"""The origin `cxr`: real radiographs with a target drawn over them."""

import hashlib
import itertools
from collections import Counter
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np

from dfsynth.checkpoint import WEIGHTS
from dfsynth.decode import DecodeLimits, decode
from dfsynth.errors import ErrorCode, ImageError
from dfsynth.lung_segmentation import (
    LungSegmenter,
    NotAChestRadiograph,
    load_lung_network,
    locate_lungs,
    packaged_lung_network,
)
from dfsynth.preprocess import prepare
from dfsynth.records import (
    Float32Map,
    IntensityWindow,
    MadePair,
    ModelInput,
    PairFacts,
    PairItem,
    SourceItem,
    Subject,
)
from dfsynth.simulation.acquisition import Acquired, Projections, acquire
from dfsynth.simulation.acquisition.equivalent import water_equivalent
from dfsynth.simulation.cxr.target import CxrTarget, draw_cxr, lay_dark_field
from dfsynth.simulation.layers import draw_layers
from dfsynth.simulation.origins.bodies import photons_of, severity_of
from dfsynth.simulation.origins.columns import (
    arrays_of,
    parameters_of,
    scan_columns,
    tissue_columns,
)
from dfsynth.simulation.origins.input_files import fingerprint_files
from dfsynth.simulation.origins.origin import Drawing, Survey
from dfsynth.simulation.origins.radiograph_listing import (
    Film,
    find_usable,
    list_films,
    read_header,
    require_frontal,
)
from dfsynth.simulation.pair import PairMaps
from dfsynth.simulation.streams import Streams
from dfsynth.source import open_source
from dfsynth.source.licenses import LICENSES, UNKNOWN_LICENSE, read_licenses

_NOMINAL_PIXEL_MM: Final = 380.0
"""Over the side of the grid, where the file does not tell its pitch [assumed field in mm]."""


class Radiographs:
    """Implements `Origin`: real radiographs, of a folder or a table with paths."""

    def __init__(self, drawing: Drawing, place: Path) -> None:
        self._drawing = drawing
        place = place.resolve()
        self._root = place if place.is_dir() else place.parent
        self._source = open_source(str(place), None)
        self._limits = DecodeLimits()
        self._window = IntensityWindow()
        self._lock = Lock()
        self._network: LungSegmenter | None = None

    def survey(self, count: int) -> Survey:
        """See `Origin`. Looks at radiographs until `count` can be used, some 0.05 s each.

        Licences are those of `licenses.csv` beside the radiographs. A patient is who the table
        names, or else one that DICOM headers share.

        Raises:
            UsageError: there are no radiographs, or `licenses.csv` cannot be read.
        """
        listing = self._source.listing()
        licenses = read_licenses(self._root / LICENSES)
        films = find_usable(list_films(listing.table), self._examine, count)
        chosen = itertools.islice(itertools.cycle(films.usable), count)
        lines = [
            Subject(f"cxr:{patient or uri}", "cxr", uri, licenses.get(uri, UNKNOWN_LICENSE))
            for uri, patient in chosen
        ]
        refused = Counter(error.code.value for _, error in films.refused)
        excluded = dict(Counter(listing.excluded) + refused)
        return Survey(lines, excluded, (*listing.warnings, *films.warnings()))

    def _examine(self, film: Film) -> str | None:
        """The digest of the patient, if the file tells it.

        Raises:
            ImageError: this is no frontal radiograph of a chest that can be read.
        """
        require_frontal(film.view)
        data = self._read(film.uri)
        ready = self._prepare(data)
        view, patient = read_header(data)
        require_frontal(view)
        try:
            locate_lungs(ready.image, self._load()(ready.image), ready.geometry.content)
        except NotAChestRadiograph as error:
            raise ImageError(ErrorCode.NOT_A_CHEST, str(error)) from error
        return patient

    def fingerprint(self) -> str:
        """See `Origin`."""
        weights = packaged_lung_network() / WEIGHTS
        network = hashlib.sha256(weights.read_bytes()).hexdigest()[:16]
        names = (str(uri) for uri in self._source.listing().table["uri"].to_pylist())
        return f"{fingerprint_files(self._root, names)} read by {network}"

    def make(self, item: PairItem) -> MadePair:
        """See `Origin`."""
        drawing, streams = self._drawing, Streams(item.seed)
        data = self._read(str(item.source))
        ready = self._prepare(data)
        pixel_mm = None if ready.pixel_mm is None else ready.pixel_mm / ready.geometry.scale_x
        try:
            target = lay_dark_field(
                ready.image,
                ready.geometry.content,
                self._load()(ready.image),
                draw_cxr(streams, drawing.severity, drawing.without),
                streams,
                pixel_mm,
            )
        except NotAChestRadiograph as error:
            raise ImageError(ErrorCode.NOT_A_CHEST, str(error)) from error
        layers = draw_layers(streams, drawing.kvp, 0.0, drawing.without)
        projections = Projections(
            water_mm=water_equivalent(target.transmission, layers.scan.tube),
            bone_mm=np.zeros_like(ready.image),
            metal_mm=np.zeros_like(ready.image),
            dark_field=target.dark_field_clean,
            pixel_mm=pixel_mm or _NOMINAL_PIXEL_MM / drawing.size,
        )
        scan = acquire(projections, layers.scan)
        facts = PairFacts(
            source_sha256=hashlib.sha256(data).hexdigest(),
            severity=severity_of(target.parameters.tissue),
            laa950=target.laa950,
            eps_bar_per_m=target.eps_bar_per_m,
            sdf_m2=target.sdf_m2,
            lung_volume_l=target.lung_volume_l,
            pixel_mm=pixel_mm,
            kvp=None,
            n0=photons_of(layers)[0],
            v0=photons_of(layers)[1],
            parameters=parameters_of(
                tissue_columns(target.parameters.tissue), scan_columns(layers.scan)
            ),
            flags=ready.flags,
        )
        return MadePair(arrays_of(_maps(ready.image, target, scan)), facts)

    def _read(self, uri: str) -> bytes:
        return self._source.read(SourceItem(0, 0, uri, uri), self._limits.max_bytes)

    def _prepare(self, data: bytes) -> ModelInput:
        grid = (self._drawing.size, self._drawing.size)
        return prepare(decode(data, self._limits), grid, self._window)

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
