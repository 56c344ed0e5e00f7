"""A real radiograph → a dark-field image that its patient might have: a semi-synthetic pair."""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dfsynth.lung_segmentation.network import LungPrediction
from dfsynth.lung_segmentation.regions import NotAChestRadiograph, locate_lungs
from dfsynth.records import Float32Map
from dfsynth.simulation.acquisition.noise_sigma import transmission_from_display
from dfsynth.simulation.cxr.symmetric_lungs import SymmetricLungs
from dfsynth.simulation.cxr.thickness import lung_shape
from dfsynth.simulation.projection.projected_body import ProjectedBody, project_body
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue import LungTissue, TissueParameters, draw_tissue

_LUNG_WIDTH_MM: Final = 270.0
"""Of both lungs of an adult from rim to rim, where the pixel pitch is unknown [assumed]."""
_HEALTHY_AERATION: Final = 0.8
"""Down to this, brightness is put down to breasts, muscles and the look of the archive, not to
opacities [assumed]. Above 1 it is no gain: darker lung holds no more walls."""
_RIM_SHARE: Final = 1 / 40
"""Of the image's side: how far from its border lung reaches its predicted thickness."""
_SMOOTH_SHARE: Final = 1 / 128
_DEPTH_SD: Final = 0.10
"""Relative spread of the true thickness of whole lungs about what a radiograph tells [assumed]."""
_TISSUE_SIDE: Final = 256
"""Of the largest grid that tissue and opacities are worked out on: neither is finer than 5 mm."""
_THIN_MM: Final = 2.0
_VOLUME_L: Final = (0.4, 15.0)
"""Outside of this, what was predicted is no pair of lungs [assumed]."""


@dataclass(frozen=True, slots=True)
class CxrParameters:
    """What is drawn of one patient."""

    tissue: TissueParameters
    """Without opacities: those that the radiograph shows lower the signal."""
    depth_factor: float
    """On the predicted thickness: patients of one outline differ in depth."""
    shows_opacities: bool
    """Whether opacities of the radiograph lower the signal; a layer like the tissue's own."""


@dataclass(frozen=True, slots=True)
class CxrTarget:
    """A dark-field image over a real radiograph; maps are (y, x) float32."""

    lung_mm: Float32Map
    lung_labels: NDArray[np.uint8]
    """0 none, 1 lung field, 2 hidden lung."""
    dark_field_clean: Float32Map
    """D = ∫ eps dl and nothing else, dimensionless."""
    severity: Float32Map
    """Share of D that the drawn emphysema takes away, 0 to 1."""
    aeration: Float32Map
    """Share of D that the opacities of the radiograph leave, 0 to 1."""
    transmission: Float32Map
    """A rough estimate from grey values, in (0, 1]."""
    laa950: float
    """Share of the drawn lung below −950 HU."""
    eps_bar_per_m: float
    """Mean coefficient over the lung, with all layers."""
    lung_volume_l: float | None
    """Null without a pixel pitch, as is the next."""
    sdf_m2: float | None
    parameters: CxrParameters


def draw_cxr(
    streams: Streams, severity: tuple[float, float], without: frozenset[str]
) -> CxrParameters:
    """Draws a patient with emphysema in the given range; `without` names layers switched off."""
    tissue = draw_tissue(streams, severity, without)
    rng = streams("radiograph")
    return CxrParameters(
        tissue=replace(tissue, opacities=None),
        depth_factor=float(np.exp(_DEPTH_SD * np.clip(rng.standard_normal(), -2.5, 2.5))),
        shows_opacities="opacities" not in without,
    )


def lay_dark_field(
    image: Float32Map,
    content: tuple[slice, slice],
    prediction: LungPrediction,
    parameters: CxrParameters,
    streams: Streams,
    pixel_mm: float | None,
) -> CxrTarget:
    """The dark-field image of a drawn patient over `image` (y, x) in [0, 1], dense bright.

    `content` is the image's box in the square grid, `pixel_mm` the grid's pitch in the middle
    of the chest, null where unknown.

    Raises:
        NotAChestRadiograph: the image is no frontal chest radiograph; one sentence says why.
    """
    regions = locate_lungs(image, prediction, content)
    thickness = shape_thickness(prediction.thickness_mm, regions.any_lung, content)
    thickness = thickness * np.float32(parameters.depth_factor)
    pitch_mm = pixel_mm or assumed_pixel_mm(regions.field)
    _check_volume(float(thickness.sum()) * pitch_mm**2 / 1e6)
    body = _project_tissue(thickness, pitch_mm, parameters.tissue, streams)
    aeration = np.ones_like(image)
    if parameters.shows_opacities:
        aeration = _enlarged(_shown_aeration(image, regions.field), image)
    dark_field = thickness * _enlarged(_coefficient_per_mm(body), image) * aeration
    lung_mm3, sdf_mm2 = (float(m.sum()) * pitch_mm**2 for m in (thickness, dark_field))
    return CxrTarget(
        lung_mm=thickness,
        lung_labels=regions.labels,
        dark_field_clean=dark_field,
        severity=np.where(regions.any_lung, _enlarged(body.severity, image), 0).astype(np.float32),
        aeration=np.where(regions.any_lung, aeration, 1).astype(np.float32),
        transmission=transmission_from_display(image),
        laa950=body.facts.laa950,
        eps_bar_per_m=1000 * sdf_mm2 / lung_mm3,
        lung_volume_l=None if pixel_mm is None else lung_mm3 / 1e6,
        sdf_m2=None if pixel_mm is None else sdf_mm2 / 1e6,
        parameters=parameters,
    )


def shape_thickness(
    predicted_mm: Float32Map, any_lung: NDArray[np.bool_], content: tuple[slice, slice]
) -> Float32Map:
    """The predicted thickness (y, x) made smooth, and round at the rim of the lungs, 0 beyond it.

    A lung that the image's border cuts does not thin out there.
    """
    side = predicted_mm.shape[1]
    smooth = cv2.GaussianBlur(
        np.ascontiguousarray(predicted_mm[content]), (0, 0), side * _SMOOTH_SHARE
    )
    inside = np.ascontiguousarray(any_lung[content]).astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) - 0.5
    across = np.clip(depth / (side * _RIM_SHARE), 0, 1)
    shaped = np.zeros_like(predicted_mm)
    shaped[content] = smooth * np.sqrt(1 - (1 - across) ** 2)
    return np.where(any_lung, shaped, 0).astype(np.float32)


def assumed_pixel_mm(field: NDArray[np.bool_]) -> float:
    """The pitch that gives lungs with outline `field` (y, x) an adult's width."""
    columns = np.flatnonzero(field.any(axis=0))
    return _LUNG_WIDTH_MM / float(columns[-1] - columns[0] + 1)


def _shown_aeration(image: Float32Map, field: NDArray[np.bool_]) -> Float32Map:
    """What the opacities of `image` leave of the signal, 0 to 1; at most `_TISSUE_SIDE` wide."""
    lung = _reduced(field.astype(np.float32)) > 0.5
    return np.minimum(lung_shape(_reduced(image), lung).aeration / _HEALTHY_AERATION, 1)


def _project_tissue(
    thickness_mm: Float32Map, pixel_mm: float, parameters: TissueParameters, streams: Streams
) -> ProjectedBody:
    """Tissue drawn in lungs of this thickness; at most `_TISSUE_SIDE` wide."""
    small = _reduced(thickness_mm)
    lungs = SymmetricLungs(small, pixel_mm * thickness_mm.shape[1] / small.shape[1])
    tissue = LungTissue(parameters, lungs, streams)
    return project_body(lungs, tissue, parameters.eps_healthy_per_m, lungs.beam)


def _reduced(values: Float32Map) -> Float32Map:
    """`values` (y, x) averaged to `_TISSUE_SIDE` columns, if it has more."""
    if values.shape[1] <= _TISSUE_SIDE:
        return values
    size = (_TISSUE_SIDE, round(values.shape[0] * _TISSUE_SIDE / values.shape[1]))
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _enlarged(values: Float32Map, image: Float32Map) -> Float32Map:
    """`values` (y, x) bilinearly on the pixels of `image`."""
    size = (image.shape[1], image.shape[0])
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _coefficient_per_mm(body: ProjectedBody) -> Float32Map:
    """Mean coefficient along each ray, 1/mm; the whole lung's where a ray meets hardly any."""
    mean = body.facts.eps_bar_per_m / 1000
    ratio = body.dark_field / np.maximum(body.lung_mm, _THIN_MM)
    return np.where(body.lung_mm > _THIN_MM, ratio, mean).astype(np.float32)


def _check_volume(volume_l: float) -> None:
    if not _VOLUME_L[0] < volume_l < _VOLUME_L[1]:
        raise NotAChestRadiograph(
            f"no frontal chest radiograph: its lungs would hold {volume_l:.1f} l of air and "
            f"tissue, expected {_VOLUME_L[0]} to {_VOLUME_L[1]} l"
        )
