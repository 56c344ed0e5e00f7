"""The manifest of paired data: its columns, and the parameters that are drawn for a pair.

A new parameter is one line of `PAIR_PARAMETERS`. The same facts as JSON are
`manifests/schema-pairs-v1.json`.
"""

from collections.abc import Mapping
from typing import Final

from dfsynth.manifest.schema import ManifestSchema, require_names
from dfsynth.records import Column, Parameter

PAIRS_VERSION: Final = 1

_COLUMNS: Final = (
    Column("image_id", "string", "Name of the pair, unique in its store", nullable=False),
    Column("row", "int64", "Index of the pair in every array of the store", nullable=False),
    Column("shard", "int32", "The run shard that holds the row", nullable=False),
    Column("status", "string", "ok or failed", nullable=False),
    Column("error_code", "string", "Why the pair failed, in one word; null where it is ok"),
    Column("error", "string", "Why the pair failed, in one sentence; null where it is ok"),
    Column(
        "patient_id",
        "string",
        "The phantom, volume or radiograph: equal for all pairs of one person",
        nullable=False,
    ),
    Column("split", "string", "train, val, calibration or test, by patient", nullable=False),
    Column("origin", "string", "phantom, ct or cxr", nullable=False),
    Column(
        "truth",
        "string",
        "simulated: all of the pair; semi-synthetic: a real radiograph, a simulated target",
        nullable=False,
    ),
    Column("source", "string", "File relative to its root; null for a phantom"),
    Column("source_sha256", "string", "SHA-256 of the source's bytes, in hexadecimal"),
    Column("license", "string", "Licence of the source, and so of the pair", nullable=False),
    Column(
        "severity",
        "float32",
        "Emphysema drawn over the lung; what a CT volume brings along is in laa950 alone",
        "0 to 1",
    ),
    Column("laa950", "float32", "Share of the lung's volume below -950 HU", "0 to 1"),
    Column("eps_bar_per_m", "float32", "Mean dark-field coefficient: sdf_m2 over volume", "1/m"),
    Column(
        "sdf_m2",
        "float32",
        "Total dark-field signal: the coefficient over the volume of both lungs, also beyond the "
        "image; a phantom's vessels are not taken out (about 2 %)",
        "m²",
    ),
    Column("lung_volume_l", "float32", "Volume of both lungs, counted in the same way", "l"),
    Column("pixel_mm", "float32", "Pitch of the pixels at the object", "mm"),
    Column("kvp", "float32", "Tube voltage of the attenuation image", "kV"),
    Column(
        "n0",
        "float32",
        "Photons a detector pixel without an object, all steps together; a pixel of the pair has "
        "n0 max(1, pixel_mm / detector_pixel_mm)^2",
    ),
    Column("v0", "float32", "Visibility without an object", "0 to 1"),
    Column("seed", "int64", "What all of the pair was drawn from", nullable=False),
    Column("flags", "list<string>", "Remarks, for example devices", nullable=False),
    Column("checksum", "string", "BLAKE2b-128 of the row's stored values, in hexadecimal"),
    Column("seconds", "float32", "Compute time of the pair", "s"),
)

PAIR_PARAMETERS: Final = (
    Column("sex", "string", "F or M"),
    Column("height_cm", "float32", "Body height", "cm"),
    Column("bmi", "float32", "Body mass index", "kg/m²"),
    Column("projection", "string", "PA, AP or AP supine"),
    Column("inspiration", "float32", "Lung volume over that of a full breath", "0 to 1"),
    Column("rotation_deg", "float32", "Turn about the long axis", "degrees"),
    Column("ct_inflation", "float32", "Lung volume over that of the scan, at equal size"),
    Column("ct_scale", "float32", "Size of the body over that of the scan"),
    Column("ct_width", "float32", "Width of the body over that of the scan, at equal size"),
    Column("ct_depth", "float32", "The same from front to back"),
    Column("ct_height", "float32", "The same from foot to head"),
    Column("ct_wall", "float32", "Thickness outside the ribs over that of the scan"),
    Column("ct_heart", "float32", "Size of the middle of the heart over that of the scan"),
    Column("eps_healthy_per_m", "float32", "Mean coefficient at a full breath, if healthy", "1/m"),
    Column("heterogeneity_cv", "float32", "Variation of the coefficient's field over its mean"),
    Column("heterogeneity_mm", "float32", "Its correlation length", "mm"),
    Column("emphysema_apical_preference", "float32", "Upper lung over lower, in deviations"),
    Column("opacity", "string", "none, ground_glass or consolidation"),
    Column("opacity_patches", "int32", "Number of opacities"),
    Column("scatter_primary_ratio", "float32", "Scatter over primary in the dark-field scan"),
    Column("scatter_residual", "float32", "Share of it left after correction", "0 to 1"),
    Column("visibility_hardening_kev", "float32", "Energy at which visibility is best", "keV"),
    Column("visibility_hardening_residual", "float32", "Share left of bone's apparent dark-field"),
    Column("reference_photons", "float32", "The same as n0, of the scan without an object"),
    Column("detector_pixel_mm", "float32", "Pitch to which photons refer, at the object", "mm"),
    Column("stripe_sd", "float32", "Standard deviation of the stripes", "dark-field"),
    Column("stitch_bands", "int32", "Number of stitch bands"),
    Column("moire_phase_rms_rad", "float32", "Errors of the phase steps", "rad"),
    Column("blur_mm", "float32", "Standard deviation of the blur", "mm"),
    Column("motion_blur_mm", "float32", "Standard deviation of the blur by motion", "mm"),
    Column("look", "string", "Archive look: soft, film, crisp, equalised or bedside"),
    Column("radiograph_scatter_primary_ratio", "float32", "Scatter over primary, after any grid"),
    Column("image_rotation_deg", "float32", "Turn of the whole image", "degrees"),
    Column("image_stretch", "float32", "Height over width after, of what was square before"),
    Column("photometric", "string", "MONOCHROME1 or MONOCHROME2: how an archive would keep it"),
    Column("bits", "int32", "Bits an archive would keep", "bits"),
)
"""All may be null: where the origin does not know them, or their layer is switched off."""

PAIRS: Final = ManifestSchema("pairs", PAIRS_VERSION, (*_COLUMNS, *PAIR_PARAMETERS))
NO_PARAMETERS: Final[Mapping[str, Parameter]] = {column.name: None for column in PAIR_PARAMETERS}
"""Of a pair that could not be made."""


def check_parameters(parameters: Mapping[str, Parameter]) -> None:
    """Requires parameters to name each column of `PAIR_PARAMETERS` once, and nothing else.

    Raises:
        StoreError: A name is unknown or missing.
    """
    require_names(parameters, NO_PARAMETERS, "parameters of a pair")
