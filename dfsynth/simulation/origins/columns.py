"""What was drawn for a pair → the columns of its manifest row."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from dfsynth.manifest import NO_PARAMETERS
from dfsynth.records import Parameter
from dfsynth.simulation.acquisition import ImagingParameters
from dfsynth.simulation.display import DisplayParameters
from dfsynth.simulation.pair import PairMaps
from dfsynth.simulation.tissue import TissueParameters


def arrays_of(maps: PairMaps) -> dict[str, NDArray[Any]]:
    """The arrays of a pair by the names under which a store holds them."""
    return {name: getattr(maps, name) for name in maps.__dataclass_fields__}


def parameters_of(*parts: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """All parameters by name, null where no part says anything.

    Raises:
        ValueError: a name that the manifest does not have.
    """
    named: dict[str, Parameter] = dict(NO_PARAMETERS)
    for part in parts:
        unknown = part.keys() - named.keys()
        if unknown:
            raise ValueError(f"the manifest of pairs has no column {sorted(unknown)[0]!r}")
        named |= part
    return named


def tissue_columns(tissue: TissueParameters) -> dict[str, Parameter]:
    """Of a patient's lung tissue."""
    columns: dict[str, Parameter] = {"eps_healthy_per_m": tissue.eps_healthy_per_m}
    if tissue.heterogeneity is not None:
        columns["heterogeneity_cv"] = tissue.heterogeneity.cv
        columns["heterogeneity_mm"] = tissue.heterogeneity.correlation_mm
    if tissue.emphysema is not None:
        columns["emphysema_apical_preference"] = tissue.emphysema.apical_preference
    if tissue.opacities is not None:
        columns["opacity"] = tissue.opacities.kind
        columns["opacity_patches"] = tissue.opacities.patches
    return columns


def scan_columns(scan: ImagingParameters) -> dict[str, Parameter]:
    """Of the dark-field scan's layers."""
    columns: dict[str, Parameter] = {}
    if scan.noise is not None:
        columns["reference_photons"] = scan.noise.reference_photons
        columns["detector_pixel_mm"] = scan.noise.detector_pixel_mm
    if scan.hardening is not None:
        columns["visibility_hardening_kev"] = scan.hardening.centre_kev
        columns["visibility_hardening_residual"] = scan.hardening.bone_residual
    if scan.scatter is not None:
        columns["scatter_primary_ratio"] = scan.scatter.scatter_to_primary
        columns["scatter_residual"] = scan.scatter.residual
    if scan.stripes is not None:
        columns["stripe_sd"] = scan.stripes.sd
        columns["stitch_bands"] = len(scan.stripes.band_centres)
    if scan.moire is not None:
        errors = scan.moire.phase_errors_rad
        columns["moire_phase_rms_rad"] = (sum(e * e for e in errors) / len(errors)) ** 0.5
    if scan.blur is not None:
        columns["blur_mm"] = scan.blur.sigma_mm
    if scan.motion is not None:
        columns["motion_blur_mm"] = scan.motion.blur_mm
    return columns


def display_columns(display: DisplayParameters | None) -> dict[str, Parameter]:
    """Of the radiograph's display model."""
    if display is None:
        return {}
    columns: dict[str, Parameter] = {"look": display.look}
    if display.exposure.scatter is not None:
        columns["radiograph_scatter_primary_ratio"] = display.exposure.scatter.scatter_to_primary
    if display.framing is not None:
        columns["image_rotation_deg"] = display.framing.rotation_degrees
        columns["image_stretch"] = display.framing.stretch
    if display.encoding is not None:
        columns["photometric"] = display.encoding.photometric
        columns["bits"] = display.encoding.bits
    return columns
