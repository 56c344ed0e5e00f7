"""What was drawn for a pair → the columns of its manifest row."""

from collections.abc import Mapping

from dfsynth.manifest import null_parameters, pair_schema
from dfsynth.records import Parameter
from dfsynth.simulation.acquisition import ImagingParameters
from dfsynth.simulation.ct import CtPose
from dfsynth.simulation.display import DisplayParameters
from dfsynth.simulation.phantom import BodyParameters
from dfsynth.simulation.tissue import TissueParameters
from dfsynth.tasks import DEFAULT_TASK


def merge_columns(
    *parts: Mapping[str, Parameter], task: str = DEFAULT_TASK
) -> dict[str, Parameter]:
    """All parameters of a task's manifest by name, null where no part says anything.

    Raises:
        ValueError: a name that the manifest does not have.
    """
    named = null_parameters(pair_schema(task))
    for part in parts:
        unknown = part.keys() - named.keys()
        if unknown:
            raise ValueError(f"the manifest of pairs has no column {sorted(unknown)[0]!r}")
        named |= part
    return named


def phantom_columns(body: BodyParameters) -> dict[str, Parameter]:
    """The columns of a phantom's body."""
    return {
        "sex": "M" if body.sex == "male" else "F",
        "height_cm": body.height_cm,
        "bmi": body.bmi,
        "projection": str(body.projection),
        "inspiration": body.inspiration,
        "rotation_deg": body.rotation_deg,
    }


def pose_columns(pose: CtPose) -> dict[str, Parameter]:
    """The columns of a posed CT volume."""
    return {
        "projection": "AP" if pose.antero_posterior else "PA",
        "rotation_deg": pose.yaw_deg,
        "ct_inflation": pose.inflation,
        "ct_scale": pose.scale,
        "ct_width": pose.width,
        "ct_depth": pose.depth,
        "ct_height": pose.height,
        "ct_wall": pose.wall,
        "ct_heart": pose.heart,
    }


def tissue_columns(tissue: TissueParameters) -> dict[str, Parameter]:
    """The columns of a patient's lung tissue."""
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
    """The columns of the dark-field scan's layers."""
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
    """The columns of the radiograph's display model."""
    if display is None:
        return {}
    columns: dict[str, Parameter] = {"look": display.appearance}
    if display.exposure.scatter is not None:
        columns["radiograph_scatter_primary_ratio"] = display.exposure.scatter.scatter_to_primary
    if display.framing is not None:
        columns["image_rotation_deg"] = display.framing.rotation_degrees
        columns["image_stretch"] = display.framing.stretch
    if display.encoding is not None:
        columns["photometric"] = display.encoding.photometric
        columns["bits"] = display.encoding.bits
    return columns
