"""Who stands in front of the beam, and how: every number from which a phantom is made."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

_HEIGHT_CM = {"male": (176.0, 7.0), "female": (163.0, 6.5)}
"""Mean and standard deviation of adult stature [assumed: European and North American adults]."""


class Sex(StrEnum):
    """Sex of a body, by which its proportions are drawn."""

    MALE = "male"
    FEMALE = "female"


class Projection(StrEnum):
    """How the body is exposed."""

    PA = "PA"
    """Upright, chest to the detector, shoulders rolled forward."""
    AP = "AP"
    """Upright or sitting, back to the detector."""
    AP_SUPINE = "AP supine"
    """On the back, detector below."""


@dataclass(frozen=True, slots=True)
class BodyParameters:
    """One body in one pose. Lengths in mm, angles in degrees; right and left are the patient's.

    The body's own frame: l to the patient's left, a forward, s upwards; s = 0 in the middle of
    the chest.
    """

    sex: Sex
    height_cm: float
    bmi: float
    """kg/m²."""
    inspiration: float
    """Lung volume over total lung capacity, 0.5 to 1."""
    projection: Projection

    chest_width_mm: float
    """Inner width of the rib cage where it is widest."""
    chest_depth_mm: float
    """Inner depth, breast bone to the gutters beside the spine, where it is deepest."""
    lung_height_mm: float
    """Apex of the lung to the costophrenic angle."""
    apex_width: float
    """Width of the upper rib cage over its usual one."""
    lower_width: float
    """Width of the lower rib cage over its usual one."""
    front_roundness: float
    """Exponent of the cross-section's front, 2 for an ellipse."""
    back_roundness: float
    """The same of its back."""
    kyphosis_mm: float
    """How far the middle of the thoracic spine lies behind its ends."""
    apex_shift_mm: float
    """Left apex above the right."""

    right_dome_mm: float
    """Top of the right dome above the costophrenic angle."""
    left_dome_mm: float
    posterior_recess_mm: float
    """Depth of the recess behind the dome, below its top."""
    dome_medial_mm: float
    """Fall of the dome towards the heart."""
    dome_ripple_mm: float

    heart_width_mm: float
    heart_length: float
    """Long axis over the width's usual share."""
    heart_tilt_deg: float
    """Long axis below the horizontal."""
    heart_shift_mm: float
    """To the left, from the usual place."""
    heart_roundness: float
    """Of the right atrium's bulge, 1 is usual."""
    heart_waist: float
    """How far the border between hilum and ventricle stands out, 1 is usual."""
    pericardial_fat_mm: float
    mediastinum_width: float
    """Over the usual width."""
    retrosternal_mm: float
    """Depth of the lungs' tongues between breast bone and great vessels."""
    aorta_radius_mm: float
    aorta_unfolding: float
    """0 for a young, straight aorta, 1 for one that bows far to the left."""
    pulmonary_trunk_mm: float
    """Radius."""
    trachea_radius_mm: float
    carina_angle_deg: float
    """Half the angle between the main bronchi."""

    vessel_scale: float
    """Radii of the pulmonary vessels over the usual ones."""
    right_hilum_mm: float
    """Height of the right hilum below the carina."""
    fissure_mm: float
    """Thickness of the pleura in the minor fissure, 0 where none is seen."""
    lung_density: float
    """Mean density of the parenchyma over water's at full inspiration."""
    gravity_gradient: float
    """Relative rise of density from the top to the bottom of the lung."""

    rib_height_mm: float
    rib_slope: float
    """Fall of the ribs from back to front, over the usual one."""
    rib_cortex_mm: float
    cartilage_calcium: float
    """Mean shell of calcium around the costal cartilage, in mm; 0 for the young."""
    bone_density: float
    """Of spongy bone, as its share of cortical bone."""

    shoulder_half_width_mm: float
    """Midline to the centre of the humeral head."""
    shoulder_height_mm: float
    """The humeral heads' height above the apex of the lung."""
    clavicle_rise_mm: float
    scapula_out_mm: float
    """How far the shoulder blades are moved sideways out of the lung fields."""
    arm_abduction_deg: float
    arm_radius_mm: float

    fat_mm: float
    """Subcutaneous fat on the chest."""
    muscle_mm: float
    """Muscle outside the ribs, on the side of the chest."""
    pectoral_mm: float
    breast_radius_mm: float
    """0 for none."""
    breast_depth_mm: float
    breast_drop_mm: float
    """The breast's middle below the middle of the chest."""
    abdomen_width: float
    """Over the width of the lower chest."""

    stomach_gas_mm: float
    """Half the width of the gas bubble in the stomach, 0 for none."""
    bowel_loops: int

    rotation_deg: float
    """About the long axis, the patient's left side towards the detector where positive."""
    lean_deg: float
    """The upper chest towards the detector."""
    roll_deg: float
    """The head to the image's right."""
    scoliosis_mm: float
    """Sideways bow of the spine."""
    seed: int
    """Of what is too fine to be named: vessels, jitter of single bones, ripples."""


def draw_body(
    rng: np.random.Generator,
    *,
    inspiration: tuple[float, float] = (0.72, 1.0),
    supine_share: float = 0.12,
    ap_share: float = 0.15,
) -> BodyParameters:
    """A random adult in a random pose.

    Sizes scale with stature such that lung volumes at full inspiration come out near the usual
    prediction (Quanjer et al., Eur Respir J 1993: 7.99 h − 7.08 l for men, 6.60 h − 5.79 l for
    women, h in m); all spreads are assumed. `inspiration` is the range of lung volumes over total
    capacity: most bodies lie near its upper end.
    """
    sex = Sex.MALE if rng.random() < 0.55 else Sex.FEMALE
    male = sex is Sex.MALE
    mean, sd = _HEIGHT_CM[sex]
    height_cm = _normal(rng, mean, sd, 145, 205)
    bmi = float(np.clip(17.5 + rng.gamma(3.6, 2.3), 17, 46))
    draw = rng.random()
    projection = Projection.PA
    if draw < supine_share:
        projection = Projection.AP_SUPINE
    elif draw < supine_share + ap_share:
        projection = Projection.AP
    low, high = inspiration
    depth_of_breath = float(np.clip(rng.beta(3.0, 1.1), 0, 1))
    if projection is not Projection.PA:
        depth_of_breath *= rng.uniform(0.4, 1.0)
    fraction = low + (high - low) * depth_of_breath
    return BodyParameters(
        sex=sex,
        height_cm=height_cm,
        bmi=bmi,
        inspiration=fraction,
        projection=projection,
        **_draw_chest(rng, height_cm, bmi, fraction, male),
        **_draw_heart(rng, height_cm, bmi, male),
        **_draw_lung(rng, male),
        **_draw_bones(rng, height_cm, male, projection),
        **_draw_surface(rng, bmi, male),
        **_draw_pose(rng, projection),
        bowel_loops=int(rng.integers(0, 10)),
        seed=int(rng.integers(2**31)),
    )


def _normal(rng: np.random.Generator, mean: float, sd: float, low: float, high: float) -> float:
    return float(np.clip(rng.normal(mean, sd), low, high))


def _draw_chest(
    rng: np.random.Generator, height_cm: float, bmi: float, inspiration: float, male: bool
) -> dict[str, float]:
    """Cage and domes. Breathing out lowers the cage's width and depth and lifts the domes."""
    out = 1 - inspiration
    elongation = rng.normal(0, 0.075)
    width = (1.78 if male else 1.74) * height_cm * (1 - elongation / 2 + rng.normal(0, 0.03))
    depth = (1.02 if male else 0.965) * height_cm * (1 + rng.normal(0, 0.07) + 0.005 * (bmi - 25))
    tall = (1.51 if male else 1.48) * height_cm * (1 + elongation + rng.normal(0, 0.03))
    width, depth = width * (1 - 0.10 * out), depth * (1 - 0.24 * out)
    lift = tall * (0.125 + 0.50 * out + rng.normal(0, 0.035) + 0.003 * (bmi - 25))
    return {
        "chest_width_mm": width,
        "chest_depth_mm": depth,
        "lung_height_mm": tall * (1 - 0.10 * out),
        "apex_width": _normal(rng, 1, 0.06, 0.85, 1.15),
        "lower_width": _normal(rng, 1, 0.03, 0.92, 1.08),
        "front_roundness": _normal(rng, 2.3, 0.2, 1.9, 2.8),
        "back_roundness": _normal(rng, 2.6, 0.2, 2.1, 3.1),
        "kyphosis_mm": _normal(rng, 22, 8, 5, 45),
        "apex_shift_mm": _normal(rng, 0, 5.5, -13, 13),
        "right_dome_mm": max(lift, 18.0),
        "left_dome_mm": max(lift - _normal(rng, 12, 7, -6, 30), 12.0),
        "posterior_recess_mm": _normal(rng, 68, 10, 45, 95) * (1 - 0.4 * out) + 0.5 * lift,
        "dome_medial_mm": _normal(rng, 10, 5, 1, 24),
        "dome_ripple_mm": float(abs(rng.normal(0, 1.2))),
    }


def _draw_heart(
    rng: np.random.Generator, height_cm: float, bmi: float, male: bool
) -> dict[str, float]:
    width = (0.72 if male else 0.70) * height_cm * (1 + 0.005 * (bmi - 25))
    enlarged = rng.uniform(1.08, 1.25) if rng.random() < 0.15 else 1.0
    unfolding = float(rng.beta(1.2, 2.2))
    return {
        "heart_width_mm": width * enlarged * _normal(rng, 1, 0.07, 0.8, 1.2),
        "heart_length": _normal(rng, 1, 0.07, 0.85, 1.2),
        "heart_tilt_deg": _normal(rng, 38 - 0.5 * (bmi - 25), 7, 18, 58),
        "heart_shift_mm": _normal(rng, 0, 5, -12, 14),
        "heart_roundness": _normal(rng, 1, 0.12, 0.7, 1.3),
        "heart_waist": _normal(rng, 1.05, 0.25, 0.5, 1.7),
        "retrosternal_mm": _normal(rng, 30 - 0.7 * (bmi - 25), 9, 5, 50),
        "pericardial_fat_mm": _normal(rng, 4 + 0.35 * (bmi - 25), 3, 0, 14),
        "mediastinum_width": _normal(rng, 1 + 0.012 * (bmi - 25), 0.22, 0.65, 1.8),
        "aorta_radius_mm": _normal(rng, 13.5 + 4 * unfolding, 1.5, 10.5, 21),
        "aorta_unfolding": unfolding,
        "pulmonary_trunk_mm": _normal(rng, 14, 1.8, 10.5, 20),
        "trachea_radius_mm": _normal(rng, 9.3 if male else 7.8, 0.9, 6, 12),
        "carina_angle_deg": _normal(rng, 32, 6, 20, 50),
    }


def _draw_lung(rng: np.random.Generator, male: bool) -> dict[str, float]:
    return {
        "vessel_scale": _normal(rng, 1.0 if male else 0.93, 0.12, 0.7, 1.4),
        "right_hilum_mm": _normal(rng, 32, 5, 20, 45),
        "fissure_mm": float(rng.uniform(0.2, 0.6)) if rng.random() < 0.5 else 0.0,
        "lung_density": _normal(rng, 0.15, 0.02, 0.11, 0.21),
        "gravity_gradient": _normal(rng, 0.25, 0.1, 0.0, 0.5),
        "stomach_gas_mm": float(rng.uniform(14, 44)) if rng.random() < 0.75 else 0.0,
    }


def _draw_bones(
    rng: np.random.Generator, height_cm: float, male: bool, projection: Projection
) -> dict[str, float]:
    upright = projection is Projection.PA
    return {
        "rib_height_mm": _normal(rng, 13.5 if male else 12.0, 1.1, 9, 17),
        "rib_slope": _normal(rng, 1, 0.14, 0.6, 1.4),
        "rib_cortex_mm": _normal(rng, 1.05, 0.22, 0.5, 1.7),
        "cartilage_calcium": float(rng.uniform(0.05, 0.45)) if rng.random() < 0.4 else 0.0,
        "bone_density": _normal(rng, 0.24, 0.055, 0.10, 0.38),
        "shoulder_half_width_mm": height_cm
        * _normal(rng, 0.97 if male else 0.94, 0.05, 0.85, 1.15),
        "shoulder_height_mm": _normal(rng, -22 if upright else -2, 19, -65, 50),
        "clavicle_rise_mm": _normal(rng, 32 if upright else 40, 13, -5, 75),
        "scapula_out_mm": _normal(rng, 34 if upright else 6, 15, -14, 62),
    }


def _draw_surface(rng: np.random.Generator, bmi: float, male: bool) -> dict[str, float]:
    fat = max(4.0, (5.0 if male else 9.0) + (1.25 if male else 1.5) * (bmi - 21))
    female = not male
    breast = _normal(rng, 56 + 1.3 * (bmi - 24), 8, 40, 92) if female else 0.0
    if male and bmi > 30:
        breast = _normal(rng, 45, 8, 30, 60)
    return {
        "fat_mm": fat * _normal(rng, 1, 0.15, 0.6, 1.4),
        "muscle_mm": _normal(rng, 17 if male else 13, 3.5, 7, 28),
        "pectoral_mm": _normal(rng, 15 if male else 9, 3, 4, 26),
        "breast_radius_mm": breast,
        "breast_depth_mm": (
            _normal(rng, 31 + 1.5 * (bmi - 24), 12, 8, 80) if female else _normal(rng, 12, 4, 4, 24)
        ),
        "breast_drop_mm": _normal(rng, 74 + 1.3 * (bmi - 24), 19, 10, 135),
        "abdomen_width": _normal(rng, 0.95 + 0.009 * (bmi - 25), 0.05, 0.82, 1.25),
        "arm_radius_mm": _normal(rng, (46 if male else 40) + 0.9 * (bmi - 24), 4, 32, 75),
    }


def _draw_pose(rng: np.random.Generator, projection: Projection) -> dict[str, float]:
    upright = projection is Projection.PA
    spread = 2.0 if upright else 3.4
    return {
        "arm_abduction_deg": _normal(rng, 40 if upright else 22, 14, 4, 80),
        "rotation_deg": _normal(rng, 0, spread, -9, 9),
        "lean_deg": _normal(rng, 2 if upright else -5, 4, -16, 14),
        "roll_deg": _normal(rng, 0, 1.6 if upright else 2.6, -7, 7),
        "scoliosis_mm": _normal(rng, 0, 4 if rng.random() < 0.9 else 9, -20, 20),
    }
