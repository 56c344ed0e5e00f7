"""What one simulated person shows: the numbers that the validation targets are about."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from dfsynth.records import Float32Map
from dfsynth.simulation.acquisition import (
    ImagingParameters,
    Projections,
    XrayTube,
    acquire,
    draw_imaging,
    transmit,
)
from dfsynth.simulation.acquisition.hardening import HardeningParameters
from dfsynth.simulation.acquisition.noise import NoiseParameters, draw_noise, step_phases
from dfsynth.simulation.acquisition.noise_sigma import dark_field_noise_sigma
from dfsynth.simulation.phantom import BodyParameters, draw_body
from dfsynth.simulation.projection.projected_body import ProjectedBody, label_lung
from dfsynth.simulation.scene import pose_phantom
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue import TissueParameters, draw_tissue
from dfsynth.simulation.validation.spectrum import spectral_slope

SIZE: Final = 128
_FULL: Final = 1.0
_EMPTY: Final = 0.7
"""Volume over total lung capacity at expiration: with it the published ratios of the total signal
and of the coefficient, 0.94 and 1.35, agree with each other."""
_KVP: Final = 70.0
_TUBE: Final = XrayTube(_KVP)
_THICK_MM: Final = 40.0
_FITTED_SCANNER: Final = ImagingParameters(
    _TUBE, hardening=HardeningParameters(42.4, 12.5, bone_residual=1.0, soft_residual=1.0)
)
"""One scanner with all of its visibility hardening left in, its scatter gone. Within the drawn
range the visibility's energy was chosen so that soft tissue has the signal of the published
cadaver; bone and lung are what then comes out."""
_NOISE_SCANS: Final = 24
_ENOUGH_PHOTONS: Final = 1e3
_FEW_PHOTONS: Final = 3e3
_FEWEST_PIXELS: Final = 100


@dataclass(frozen=True, slots=True)
class Person:
    """The measures of one phantom, each at full inspiration unless it says otherwise."""

    male: bool
    height_cm: float
    volume_l: float
    eps_bar_per_m: float
    """Healthy."""
    sdf_m2: float
    """Healthy, over the lungs' voxels."""
    sdf_ratio: float
    """Expiration over inspiration."""
    eps_bar_ratio: float
    """Mean coefficient, expiration over inspiration."""
    laa950: float
    """With emphysema."""
    eps_bar_ill_ratio: float
    """Mean coefficient with emphysema over that without."""
    density: float
    """Mean density of healthy parenchyma over water's, which its attenuation goes with."""
    density_ill_ratio: float
    """Mean density with emphysema over that without."""
    severity: float
    """Of emphysema, 0 to 1."""
    left_right: float
    """Signal per millimetre of lung, left field over right, less 1."""
    apex_base: float
    """The same, upper third of the field over its lower third, less 1."""
    raw_lung_signal: float
    """Mean D in the lung field, of one scanner with its visibility hardening left in."""
    raw_bone_signal: float
    """Behind bone beside the lung."""
    raw_soft_signal: float
    """Behind soft tissue alone."""
    lung_signal: float
    """Mean D in the lung field with the assumed calibration, as a scan is delivered."""
    bone_signal: float
    """Behind bone, as a scan is delivered."""
    soft_signal: float
    """Behind soft tissue, as a scan is delivered."""
    noise_ratio: float
    """Spread of counted scans over its formula, in pixels with more than a thousand photons."""
    faint_noise_ratio: float
    """The same in pixels with one to three thousand; NaN if there are hardly any."""
    lung_transmission: float
    """Median at 70 kVp in the lung field."""
    lung_area_cm2: float
    """Projected, of both lung fields."""
    cardiothoracic: float
    """Widest heart over widest chest."""
    spectral_slope: float
    """Of the healthy signal in the lung field; NaN if the field is too small for it."""


def measure_person(seed: int) -> Person:
    """Draws one phantom, PA and upright, and measures it healthy, breathed out, and ill."""
    streams, device = Streams(seed), torch.device("cpu")
    drawn = draw_tissue(streams, (0.0, 1.0), frozenset())
    # Drawn without emphysema: its severity would also make the healthy lung uneven.
    healthy = replace(draw_tissue(streams, (0.0, 0.0), frozenset()), emphysema=None, opacities=None)
    full = _body(streams, _FULL)
    scene = pose_phantom(full, healthy, streams, SIZE, device)
    well = scene.project(streams)
    out = _project(_body(streams, _EMPTY), healthy, streams)
    ill = _project(full, replace(drawn, opacities=None), streams)
    labels = label_lung(well)
    projections = Projections(
        well.water_mm,
        well.bone_mm,
        np.zeros_like(well.water_mm),
        well.dark_field,
        scene.beam.pixel_mm,
    )
    delivered = draw_imaging(_KVP, frozenset({"hardening", "scatter"}), streams)
    lung, bone, soft = mean_signals(projections, delivered, labels)
    raw_lung, raw_bone, raw_soft = mean_signals(projections, _FITTED_SCANNER, labels)
    left_right, apex_base = field_gradients(well, labels)
    transmission = transmit(well.water_mm, well.bone_mm, _TUBE)
    noise, faint_noise = noise_ratios(
        well.dark_field, transmission, draw_noise(streams("validation noise")), streams
    )
    return Person(
        male=full.sex == "male",
        height_cm=full.height_cm,
        volume_l=well.facts.volume_l,
        eps_bar_per_m=well.facts.eps_bar_per_m,
        sdf_m2=well.facts.sdf_m2,
        sdf_ratio=out.facts.sdf_m2 / well.facts.sdf_m2,
        eps_bar_ratio=out.facts.eps_bar_per_m / well.facts.eps_bar_per_m,
        laa950=ill.facts.laa950,
        eps_bar_ill_ratio=ill.facts.eps_bar_per_m / well.facts.eps_bar_per_m,
        density=well.facts.mean_density,
        density_ill_ratio=ill.facts.mean_density / well.facts.mean_density,
        severity=0.0 if drawn.emphysema is None else drawn.emphysema.severity,
        left_right=left_right,
        apex_base=apex_base,
        raw_lung_signal=raw_lung,
        raw_bone_signal=raw_bone,
        raw_soft_signal=raw_soft,
        lung_signal=lung,
        bone_signal=bone,
        soft_signal=soft,
        noise_ratio=noise,
        faint_noise_ratio=faint_noise,
        lung_transmission=float(np.median(transmission[labels == 1])),
        lung_area_cm2=float((labels == 1).sum()) * scene.beam.pixel_mm**2 / 100,
        cardiothoracic=cardiothoracic_ratio(labels),
        spectral_slope=spectral_slope(well.dark_field, labels == 1),
    )


def mean_signals(
    projections: Projections, scan: ImagingParameters, labels: NDArray[np.uint8]
) -> tuple[float, float, float]:
    """Mean D in the lung field, behind bone, and behind soft tissue, as `scan` gives it.

    `labels` (y, x) is 0 no lung, 1 lung field, 2 hidden lung, as in the functions below.
    """
    signal = acquire(projections, scan).dark_field
    no_lung = (labels == 0) & (projections.water_mm > 60)
    bone = no_lung & (projections.bone_mm > 3)
    soft = no_lung & (projections.bone_mm < 0.2)

    def mean(region: NDArray[np.bool_]) -> float:
        return float(signal[region].mean()) if region.any() else float("nan")

    return mean(labels == 1), mean(bone), mean(soft)


def field_gradients(body: ProjectedBody, labels: NDArray[np.uint8]) -> tuple[float, float]:
    """Signal per millimetre: left over right, and upper over lower third of the field, less 1.

    The field is where `labels` (y, x) is 1.
    """
    field = (labels == 1) & (body.lung_mm > _THICK_MM)
    rows = np.flatnonzero(field.any(axis=1))
    third = (rows[-1] - rows[0]) / 3
    row = np.arange(field.shape[0])[:, None] + np.zeros(field.shape)
    middle = _middle_column(labels)
    column = np.arange(field.shape[1])[None, :] + np.zeros(field.shape)

    def per_mm(part: NDArray[np.bool_]) -> float:
        chosen = field & part
        return float(body.dark_field[chosen].sum() / body.lung_mm[chosen].sum())

    left_right = per_mm(column > middle) / per_mm(column < middle)
    apex_base = per_mm(row < rows[0] + third) / per_mm(row > rows[-1] - third)
    return left_right - 1, apex_base - 1


def noise_ratios(
    dark_field: Float32Map, transmission: Float32Map, parameters: NoiseParameters, streams: Streams
) -> tuple[float, float]:
    """Spread of D over its formula, in pixels with over a thousand photons, and with few more.

    Both scans, with the body and without, are counted: six Poisson phase steps and a fit. (The
    noise layer draws from the formula itself above a thousand photons; comparing it would say
    nothing.) Maps are (y, x).
    Every pixel counts as one of the detector's: binned ones have more photons.
    """
    rng = streams("validation scans")
    enough = parameters.photons * transmission > _ENOUGH_PHOTONS
    signal, passed = dark_field[enough], transmission[enough]
    counts = passed * np.float32(parameters.photons)
    open_counts = np.full_like(counts, parameters.reference_photons)
    open_contrast = np.full_like(counts, parameters.visibility)
    contrast = open_contrast * np.exp(-signal)
    scans = np.stack(
        [
            np.log(step_phases(open_counts, open_contrast, rng)[0])
            - np.log(step_phases(counts, contrast, rng)[0])
            for _ in range(_NOISE_SCANS)
        ]
    )
    formula = dark_field_noise_sigma(
        signal, passed, parameters.photons, parameters.visibility, parameters.reference_photons
    )

    def ratio(chosen: NDArray[np.bool_]) -> float:
        if chosen.sum() < _FEWEST_PIXELS:
            return float("nan")
        variance = scans[:, chosen].var(axis=0, ddof=1).mean()
        return float(np.sqrt(variance / (formula[chosen] ** 2).mean()))

    return ratio(np.ones_like(enough[enough])), ratio(counts < _FEW_PHOTONS)


def cardiothoracic_ratio(labels: NDArray[np.uint8]) -> float:
    """Widest heart over widest chest, measured on the lung fields of `labels` (y, x)."""
    field = labels == 1
    rows = np.flatnonzero(field.any(axis=1))
    middle = round(_middle_column(labels))
    right, left = field[:, :middle], field[:, middle:]
    widest = 0.0
    # Above the domes and below the hila; there the heart alone parts the fields.
    for row in range(rows[0] + (rows[-1] - rows[0]) // 2, rows[-1]):
        if not (right[row].sum() > 8 and left[row].sum() > 8):
            break
        inner_right = middle - 1 - int(np.flatnonzero(right[row])[-1])
        inner_left = int(np.flatnonzero(left[row])[0])
        outer_right, outer_left = np.flatnonzero(right[row])[0], np.flatnonzero(left[row])[-1]
        # A dome that rises into a row takes the field's inner half away at once.
        if inner_right > (middle - outer_right) / 2:
            break
        if inner_left > 0.8 * outer_left:
            break
        widest = max(widest, inner_right + inner_left)
    columns = np.flatnonzero((labels > 0).any(axis=0))
    return widest / float(columns[-1] - columns[0] + 1)


def _middle_column(labels: NDArray[np.uint8]) -> float:
    """Between the inner borders of the two lung fields, in the upper half of the chest."""
    field = labels == 1
    rows = np.flatnonzero(field.any(axis=1))
    upper = field[rows[0] + (rows[-1] - rows[0]) // 5 : rows[0] + (rows[-1] - rows[0]) // 2]
    gaps = []
    for line in upper:
        columns = np.flatnonzero(line)
        if len(columns) > 1:
            steps = np.diff(columns)
            at = int(steps.argmax())
            gaps.append((columns[at] + columns[at + 1]) / 2)
    return float(np.median(gaps)) if gaps else (field.shape[1] - 1) / 2


def _body(streams: Streams, inspiration: float) -> BodyParameters:
    """Always the same person: the numbers drawn do not depend on how far the lungs are filled."""
    return draw_body(
        streams("body"),
        inspiration=(inspiration, inspiration),
        supine_share=0.0,
        ap_share=0.0,
    )


def _project(body: BodyParameters, tissue: TissueParameters, streams: Streams) -> ProjectedBody:
    return pose_phantom(body, tissue, streams, SIZE, torch.device("cpu")).project(streams)
