"""One pair: line integrals → the registered scan, the radiograph, and the truth."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map
from dfsynth.simulation.acquisition import (
    Projections,
    Tube,
    acquire,
    chest_places,
    draw_devices,
    lay_devices,
    transmit,
)
from dfsynth.simulation.display import Surface, frame_maps, framed_pixel_mm, present, spare_lungs
from dfsynth.simulation.layers import ImageLayers
from dfsynth.simulation.projection.body import ProjectedBody, label_lung
from dfsynth.simulation.streams import Streams

_PLAIN_PERCENTILES: Final = (0.5, 99.5)
_LEAST_TRANSMISSION: Final = 1e-6


@dataclass(frozen=True, slots=True)
class PairMaps:
    """The images of a pair; all (y, x), float32 but for the labels."""

    attenuation: Float32Map
    """The conventional radiograph as an archive shows it, in [0, 1], dense is bright."""
    transmission: Float32Map
    """The dark-field scan's own transmission at 70 kVp, registered with it, ≥ 0."""
    dark_field: Float32Map
    """As measured, with noise and artefacts; unclipped."""
    dark_field_clean: Float32Map
    """∫ eps dl and nothing else."""
    lung_mask: NDArray[np.uint8]
    """0 no lung, 1 lung field as people outline it, 2 hidden lung."""
    lung_thickness_mm: Float32Map
    severity: Float32Map
    """Share of the signal that emphysema takes away, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair with what the manifest says of its images."""

    maps: PairMaps
    pixel_mm: float
    devices: tuple[str, ...]


def make_pair(body: ProjectedBody, pixel_mm: float, layers: ImageLayers, streams: Streams) -> Pair:
    """The images of a projected body; a pure function of its arguments.

    What the display model frames anew (rotation, crop, stretch) moves every map alike, and
    its shutter leaves open all that is labelled lung.
    """
    framing = None if layers.display is None else layers.display.framing
    maps = frame_maps(_truth(body), _SURFACES, framing)
    pixel_mm = framed_pixel_mm(pixel_mm, framing)
    labels = maps["lung_mask"].astype(np.uint8)
    metal, devices = _devices(labels, pixel_mm, layers, streams)
    projections = Projections(
        water_mm=maps["water_mm"],
        bone_mm=maps["bone_mm"],
        metal_mm=metal,
        dark_field=maps["dark_field"],
        pixel_mm=pixel_mm,
    )
    scan = acquire(projections, layers.scan)
    radiograph = (
        plain_radiograph(projections, layers.kvp)
        if layers.display is None
        else present(projections, spare_lungs(layers.display, labels > 0))
    )
    return Pair(
        maps=PairMaps(
            attenuation=radiograph,
            transmission=scan.transmission,
            dark_field=scan.dark_field,
            dark_field_clean=maps["dark_field"],
            lung_mask=labels,
            lung_thickness_mm=maps["lung_mm"],
            severity=maps["severity"],
        ),
        pixel_mm=pixel_mm,
        devices=devices,
    )


def plain_radiograph(projections: Projections, kvp: float) -> Float32Map:
    """−ln T of the primary beam, stretched between two percentiles to [0, 1], (y, x)."""
    transmission = transmit(
        projections.water_mm, projections.bone_mm, Tube(kvp), projections.metal_mm
    )
    density = -np.log(np.maximum(transmission, _LEAST_TRANSMISSION))
    low, high = np.percentile(density, _PLAIN_PERCENTILES)
    return np.clip((density - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)


_SURFACES: Final = {
    "water_mm": Surface(sharp=True, fill=None),
    "bone_mm": Surface(sharp=True, fill=None),
    "dark_field": Surface(fill=None),
    "lung_mm": Surface(fill=None),
    "severity": Surface(fill=None),
    "lung_mask": Surface(nearest=True, fill=None),
}
"""Where a frame looks past the edge, the edge goes on: air there would draw a false border."""


def _truth(body: ProjectedBody) -> dict[str, Float32Map]:
    return {
        "water_mm": body.water_mm,
        "bone_mm": body.bone_mm,
        "dark_field": body.dark_field,
        "lung_mm": body.lung_mm,
        "severity": body.severity,
        "lung_mask": label_lung(body).astype(np.float32),
    }


def _devices(
    labels: NDArray[np.uint8], pixel_mm: float, layers: ImageLayers, streams: Streams
) -> tuple[Float32Map, tuple[str, ...]]:
    if not layers.with_devices:
        return np.zeros(labels.shape, np.float32), ()
    parameters = draw_devices(chest_places(labels == 1), streams("device kinds"))
    metal, _ = lay_devices((labels.shape[0], labels.shape[1]), pixel_mm, parameters)
    return metal, parameters.kinds
