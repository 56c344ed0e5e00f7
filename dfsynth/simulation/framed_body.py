"""A projected body in the frame of its radiograph, and that radiograph."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map
from dfsynth.simulation.acquisition import (
    Projections,
    XrayTube,
    chest_places,
    draw_implants,
    project_implants,
    transmit,
)
from dfsynth.simulation.display import (
    Resampling,
    frame_maps,
    framed_pixel_mm,
    present,
    widen_for_lungs,
)
from dfsynth.simulation.layers import ImageLayers
from dfsynth.simulation.projection.projected_body import ProjectedBody, label_lung
from dfsynth.simulation.streams import Streams

_PLAIN_PERCENTILES: Final = (0.5, 99.5)
_LEAST_TRANSMISSION: Final = 1e-6
_RESAMPLINGS: Final = {
    "water_mm": Resampling(sharp=True, fill=None),
    "bone_mm": Resampling(sharp=True, fill=None),
    "dark_field": Resampling(fill=None),
    "lung_mm": Resampling(fill=None),
    "severity": Resampling(fill=None),
    "lung_mask": Resampling(nearest=True, fill=None),
}
"""Where a frame looks past the edge, the edge goes on: air there would draw a false border."""


@dataclass(frozen=True, slots=True, eq=False)
class FramedBody:
    """What the display model frames anew (rotation, crop, stretch) moves every map alike."""

    projections: Projections
    """With what the patient wears or carries."""
    maps: Mapping[str, Float32Map]
    """Line integrals and truth (y, x), by the names of `ProjectedBody`."""
    lung_labels: NDArray[np.uint8]
    """(y, x): 0 no lung, 1 lung field as people outline it, 2 hidden lung."""
    pixel_mm: float
    """Pitch at the object, in mm, after framing."""
    implants: tuple[str, ...]
    """Kinds of what the patient wears or carries, of `IMPLANT_KINDS`."""


def frame_body(
    body: ProjectedBody, pixel_mm: float, layers: ImageLayers, streams: Streams
) -> FramedBody:
    """A projected body in the frame of its radiograph; a pure function of its arguments.

    Args:
        body: line integrals, (y, x).
        pixel_mm: pitch at the object, in mm.
        layers: what was drawn for the images.
        streams: those of the pair, for the implants.
    """
    framing = None if layers.display is None else layers.display.framing
    maps = frame_maps(_truth(body), _RESAMPLINGS, framing)
    pixel_mm = framed_pixel_mm(pixel_mm, framing)
    labels = maps["lung_mask"].astype(np.uint8)
    metal, implants = _implants(labels, pixel_mm, layers, streams)
    projections = Projections(
        water_mm=maps["water_mm"],
        bone_mm=maps["bone_mm"],
        metal_mm=metal,
        dark_field=maps["dark_field"],
        pixel_mm=pixel_mm,
    )
    return FramedBody(projections, maps, labels, pixel_mm, implants)


def show_body(framed: FramedBody, layers: ImageLayers) -> Float32Map:
    """The radiograph (y, x) in [0, 1], dense is bright.

    Its shutter leaves open all that is labelled lung.
    """
    if layers.display is None:
        return _plain_radiograph(framed.projections, layers.kvp)
    return present(framed.projections, widen_for_lungs(layers.display, framed.lung_labels > 0))


def _plain_radiograph(projections: Projections, kvp: float) -> Float32Map:
    """−ln T of the primary beam, stretched between two percentiles to [0, 1], (y, x)."""
    transmission = transmit(
        projections.water_mm, projections.bone_mm, XrayTube(kvp), projections.metal_mm
    )
    density = -np.log(np.maximum(transmission, _LEAST_TRANSMISSION))
    low, high = np.percentile(density, _PLAIN_PERCENTILES)
    return np.clip((density - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)


def _truth(body: ProjectedBody) -> dict[str, Float32Map]:
    return {
        "water_mm": body.water_mm,
        "bone_mm": body.bone_mm,
        "dark_field": body.dark_field,
        "lung_mm": body.lung_mm,
        "severity": body.severity,
        "lung_mask": label_lung(body).astype(np.float32),
    }


def _implants(
    labels: NDArray[np.uint8], pixel_mm: float, layers: ImageLayers, streams: Streams
) -> tuple[Float32Map, tuple[str, ...]]:
    if not layers.with_implants:
        return np.zeros(labels.shape, np.float32), ()
    # The stream keeps its first name: under another, equal seeds would give other implants.
    parameters = draw_implants(chest_places(labels == 1), streams("device kinds"))
    metal, _ = project_implants((labels.shape[0], labels.shape[1]), pixel_mm, parameters)
    return metal, parameters.kinds
