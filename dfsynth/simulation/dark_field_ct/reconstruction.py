"""Filtered back-projection of parallel and fan beams."""

import math

import torch
from torch.nn.functional import grid_sample

from dfsynth.simulation.dark_field_ct.geometry import VIEWS_AT_ONCE, ScanGeometry


def reconstruct(integrals: torch.Tensor, geometry: ScanGeometry, window: str) -> torch.Tensor:
    """Slices (maps, y, x) in 1/m from line integrals (maps, shots, detector_pixels).

    The weighted filtered back-projection of a flat detector (Kak and Slaney, Principles of
    Computerized Tomographic Imaging, 1988, equations 3.4.1), which for parallel rays is that of
    section 3.3. `window` damps the ramp: `ram-lak` not at all, `hann` to 0 at the detector's
    limit. Outside the field of view, the circle inscribed in the slice, is 0.
    """
    if geometry.parallel:
        # Opposite views hold the same rays, and everything below is linear.
        first, opposite = integrals.chunk(2, dim=1)
        integrals = (first + opposite.flip(-1)) / 2
    device = integrals.device
    weighted = integrals / geometry.ray_stretch(device)
    filtered = _filter_views(weighted, geometry.detector_pitch_mm / 1000, window)
    angles = geometry.angles_rad(device)
    total = torch.zeros(len(integrals), geometry.side, geometry.side, device=device)
    for some, some_angles in zip(
        filtered.split(VIEWS_AT_ONCE, dim=1), angles.split(VIEWS_AT_ONCE), strict=True
    ):
        total += _back_project(some, some_angles, geometry)
    place = geometry.slice_mm(device)
    inside = place**2 + place[:, None] ** 2 <= geometry.radius_mm**2
    return total * inside * (math.pi / len(angles))


def _filter_views(views: torch.Tensor, pitch_m: float, window: str) -> torch.Tensor:
    """`views` (…, detector) convolved with the band-limited ramp, in 1/m of their unit.

    The ramp is sampled in space (Kak and Slaney, equation 3.3.61): sampled in frequency it would
    have a wrong mean.
    """
    detector = views.shape[-1]
    length = 2 ** math.ceil(math.log2(2 * detector))
    distance = torch.fft.fftfreq(length, 1 / length, dtype=torch.float64, device=views.device)
    kernel = torch.where(distance.remainder(2) == 1, -1 / (math.pi * distance) ** 2, 0.0)
    kernel[0] = 0.25
    response = torch.fft.rfft(kernel).real / pitch_m
    if window == "hann":
        frequency = torch.linspace(0, 1, len(response), dtype=torch.float64, device=views.device)
        response *= (1 + torch.cos(math.pi * frequency)) / 2
    spectrum = torch.fft.rfft(views, n=length) * response.float()
    return torch.fft.irfft(spectrum, n=length)[..., :detector]


def _back_project(
    views: torch.Tensor, angles: torch.Tensor, geometry: ScanGeometry
) -> torch.Tensor:
    """Sum over `views` (maps, views, detector) of their values along each pixel's rays."""
    place = geometry.slice_mm(views.device)
    cos, sin = angles.cos()[:, None, None], angles.sin()[:, None, None]
    magnification = 1 + (cos * place[:, None] - sin * place) * geometry.divergence_per_mm
    across = (cos * place + sin * place[:, None]) / magnification / geometry.half_detector_mm
    count = len(angles)
    rows = (2 * torch.arange(count, device=views.device) + 1) / count - 1
    grid = torch.stack([across, rows[:, None, None].expand_as(across)], dim=-1)
    values = grid_sample(views[None], grid.view(1, -1, geometry.side, 2), align_corners=False).view(
        len(views), *across.shape
    )
    if not geometry.parallel:
        values = values / magnification**2
    return values.sum(dim=1)
