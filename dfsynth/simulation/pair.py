"""One pair: a scene → scan, radiograph and truth, registered, and what the manifest says."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map, MadePair, PairFacts, Parameter
from dfsynth.simulation.acquisition import acquire
from dfsynth.simulation.columns import display_columns, merge_columns, scan_columns, tissue_columns
from dfsynth.simulation.framed_body import frame_body, show_body
from dfsynth.simulation.layers import ImageLayers, draw_layers
from dfsynth.simulation.projection.projected_body import ProjectedBody
from dfsynth.simulation.sampling import SamplingOptions
from dfsynth.simulation.scene import Scene
from dfsynth.simulation.streams import Streams


@dataclass(frozen=True, slots=True)
class PairMaps:
    """The images of a pair, named as in a store; all (y, x), float32 but for the labels."""

    attenuation: Float32Map
    """The conventional radiograph as an archive shows it, in [0, 1], dense is bright."""
    transmission: Float32Map
    """The dark-field scan's own transmission at 70 kVp, registered with it, ≥ 0."""
    dark_field: Float32Map
    """As measured, with noise and artefacts; dimensionless, unclipped."""
    dark_field_clean: Float32Map
    """∫ eps dl and nothing else, dimensionless, ≥ 0."""
    lung_mask: NDArray[np.uint8]
    """0 no lung, 1 lung field as people outline it, 2 hidden lung."""
    lung_thickness_mm: Float32Map
    """Path of the ray in lung, in mm, ≥ 0."""
    severity: Float32Map
    """Share of the signal that emphysema takes away, 0 to 1."""

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """The maps (y, x) by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class BodyImages:
    """The images of a projected body, and what was seen in them."""

    maps: PairMaps
    pixel_mm: float
    """Pitch at the object, in mm, after framing."""
    implants: tuple[str, ...]
    """Kinds of what the patient wears or carries, of `IMPLANT_KINDS`."""


class SceneImaging(Protocol):
    """Makes a pair of a scene; called by several threads at once."""

    def __call__(
        self,
        scene: Scene,
        options: SamplingOptions,
        streams: Streams,
        columns: Mapping[str, Parameter],
        source_sha256: str | None = None,
        flags: tuple[str, ...] = (),
    ) -> MadePair:
        """The pair, as `make_pair` makes those of dark-field radiography.

        Args:
            scene: the patient in front of the beam.
            options: ranges that the imaging layers are drawn from.
            streams: those that the scene was drawn from.
            columns: what the origin drew, by the manifest's names.
            source_sha256: of the bytes that the patient was made of; None for a phantom.
            flags: what the origin says of this pair.
        """


def make_pair(
    scene: Scene,
    options: SamplingOptions,
    streams: Streams,
    columns: Mapping[str, Parameter],
    source_sha256: str | None = None,
    flags: tuple[str, ...] = (),
) -> MadePair:
    """Projects a scene, images it, and says what was drawn; a `SceneImaging`.

    Raises:
        ValueError: a column that the manifest does not have, or a body without lung.
    """
    body = scene.project(streams)
    layers = draw_layers(streams, options.kvp, options.implants, options.without)
    images = image_body(body, scene.beam.pixel_mm, layers, streams)
    facts = PairFacts(
        source_sha256=source_sha256,
        severity=scene.tissue.severity,
        laa950=body.facts.laa950,
        eps_bar_per_m=body.facts.eps_bar_per_m,
        sdf_m2=body.facts.sdf_m2,
        lung_volume_l=body.facts.volume_l,
        pixel_mm=images.pixel_mm,
        kvp=layers.kvp,
        n0=layers.photons,
        v0=layers.visibility,
        parameters=merge_columns(
            columns,
            tissue_columns(scene.tissue),
            scan_columns(layers.scan),
            display_columns(layers.display),
        ),
        # The flag's word is older than the option's: stores of version 0.1 have it.
        flags=(*flags, *(f"device_{kind}" for kind in images.implants)),
    )
    return MadePair(images.maps.arrays, facts)


def image_body(
    body: ProjectedBody, pixel_mm: float, layers: ImageLayers, streams: Streams
) -> BodyImages:
    """The images (y, x) of a projected body; a pure function of its arguments.

    What the display model frames anew (rotation, crop, stretch) moves every map alike, and
    its shutter leaves open all that is labelled lung.

    Args:
        body: line integrals, (y, x).
        pixel_mm: pitch at the object, in mm.
        layers: what was drawn for both images.
        streams: those of the pair, for the implants.
    """
    framed = frame_body(body, pixel_mm, layers, streams)
    scan = acquire(framed.projections, layers.scan)
    maps = framed.maps
    return BodyImages(
        maps=PairMaps(
            attenuation=show_body(framed, layers),
            transmission=scan.transmission,
            dark_field=scan.dark_field,
            dark_field_clean=maps["dark_field"],
            lung_mask=framed.lung_labels,
            lung_thickness_mm=maps["lung_mm"],
            severity=maps["severity"],
        ),
        pixel_mm=framed.pixel_mm,
        implants=framed.implants,
    )
