"""The dark-field coefficient of lung: cohort mean, patient and region."""

from dataclasses import dataclass

import cv2
import numpy as np

from dfsynth.records import Float32Map


@dataclass(frozen=True, slots=True)
class CohortScattering:
    """From which patients are drawn.

    Healthy mean coefficient 2.5 ± 0.4 1/m: Gassert et al., Radiology 2021 (n = 40). Mean lung
    thickness follows from total dark-field signal 1.6e-2 m² over coefficient (Urban et al.,
    2025) and a projected lung area near 450 cm². Heterogeneity and the share of patients with
    diffuse emphysema are assumed.
    """

    eps_mean_per_m: float = 2.5
    eps_sd_per_m: float = 0.4
    thickness_over_root_area: float = 0.62
    field_of_view_mm: float = 380.0
    field_of_view_sd_mm: float = 20.0
    regional_cv: float = 0.12
    regional_mm: tuple[float, float] = (5.0, 30.0)
    emphysema_share: float = 0.15
    emphysema_factor: tuple[float, float] = (0.5, 0.95)


def draw_scattering(
    cohort: CohortScattering,
    relative_thickness: Float32Map,
    aeration: Float32Map,
    rng: np.random.Generator,
) -> Float32Map:
    """The noise-free dark-field D = ∫ eps dl of one drawn patient, (y, x), dimensionless.

    `relative_thickness` and `aeration` (y, x) are those of `LungShape`.
    """
    side = relative_thickness.shape[1]
    pixel_mm = max(rng.normal(cohort.field_of_view_mm, cohort.field_of_view_sd_mm), 250) / side
    # Half the mean thickness: the rim and the hidden lung are left out of the projected area.
    area_mm2 = float((relative_thickness > 0.5).sum()) * pixel_mm**2
    mean_mm = cohort.thickness_over_root_area * area_mm2**0.5
    eps_per_m = max(rng.normal(cohort.eps_mean_per_m, cohort.eps_sd_per_m), 0.5)
    if rng.random() < cohort.emphysema_share:
        eps_per_m *= rng.uniform(*cohort.emphysema_factor)
    field = regional_field(
        relative_thickness.shape,
        rng.uniform(*cohort.regional_mm) / pixel_mm,
        cohort.regional_cv,
        rng,
    )
    scale = np.float32(eps_per_m * mean_mm / 1000.0)
    return np.asarray(scale * relative_thickness * aeration * field, np.float32)


def regional_field(
    shape: tuple[int, ...], correlation_px: float, cv: float, rng: np.random.Generator
) -> Float32Map:
    """A log-normal field (y, x) of mean 1, coefficient of variation `cv`, Gaussian-correlated."""
    sigma_px = max(correlation_px / 2, 0.5)
    # Drawn coarsely and enlarged: the field has no detail below its correlation length.
    coarse = max(1, int(sigma_px / 2))
    size = (-(-shape[0] // coarse) + 8, -(-shape[1] // coarse) + 8)
    noise = rng.standard_normal(size, np.float32)
    smooth: Float32Map = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigma_px / coarse), np.float32)
    smooth = smooth / max(float(smooth.std()), 1e-6)
    fine = cv2.resize(smooth, (size[1] * coarse, size[0] * coarse), interpolation=cv2.INTER_CUBIC)
    log_sd = np.log1p(cv**2) ** 0.5
    return np.exp(log_sd * fine[: shape[0], : shape[1]] - log_sd**2 / 2).astype(np.float32)
