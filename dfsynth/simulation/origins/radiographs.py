"""The origin `cxr`: real radiographs with a target drawn over them."""

from pathlib import Path
from typing import Final

import numpy as np

from dfsynth.errors import ErrorCode, ImageError
from dfsynth.lung_segmentation import NotAChestRadiograph
from dfsynth.records import Float32Map, MadePair, PairFacts, PairItem
from dfsynth.simulation.acquisition import Acquired, Projections, acquire
from dfsynth.simulation.acquisition.equivalent import water_equivalent
from dfsynth.simulation.columns import merge_columns, scan_columns, tissue_columns
from dfsynth.simulation.cxr.target import CxrTarget, draw_cxr, lay_dark_field
from dfsynth.simulation.layers import draw_layers
from dfsynth.simulation.origins.origin import SubjectListing
from dfsynth.simulation.origins.radiograph_library import RadiographLibrary
from dfsynth.simulation.pair import PairMaps
from dfsynth.simulation.sampling import SamplingOptions
from dfsynth.simulation.streams import Streams

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
        self._radiographs = RadiographLibrary(place, options.size)

    def list_subjects(self, count: int) -> SubjectListing:
        """See `PairOrigin` and `RadiographLibrary`."""
        return self._radiographs.list_subjects(count)

    def fingerprint(self) -> str:
        """See `PairOrigin`."""
        return self._radiographs.fingerprint()

    def make(self, item: PairItem) -> MadePair:
        """See `PairOrigin`."""
        options, streams = self._options, Streams(item.seed)
        radiograph = self._radiographs.read(str(item.source))
        ready, pixel_mm = radiograph.ready, radiograph.pixel_mm
        try:
            target = lay_dark_field(
                ready.image,
                ready.geometry.content,
                self._radiographs.load()(ready.image),
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
            source_sha256=radiograph.sha256,
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
