"""Rays of a scan, in one form for parallel and fan beams."""

import math
from dataclasses import dataclass
from typing import Final

import torch

from dfsynth.errors import UsageError
from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings

VIEWS_AT_ONCE: Final = 8
"""Few enough for the coordinates of their samples to stay in a processor's cache."""


@dataclass(frozen=True, slots=True)
class ScanGeometry:
    """Where each shot's rays run through a square slice of `side` pixels.

    At angle `theta` a detector pixel has the place `s` on the axis (cos theta, sin theta) through
    the axis of rotation, and its ray runs along (-sin theta, cos theta): at the depth `t` it is at
    `s (1 + t divergence_per_mm)`. A fan beam's detector is thought in the axis of rotation.
    """

    side: int
    pixel_mm: float
    shots: int
    """Angles of a full turn, evenly spaced from 0."""
    detector_pixels: int
    half_detector_mm: float
    """Half the width of the detector, in the axis of rotation."""
    divergence_per_mm: float
    """Inverse of the distance from focus to axis of rotation in 1/mm; 0 for a parallel beam."""

    @classmethod
    def of(cls, settings: ScanSettings, side: int, pixel_mm: float) -> "ScanGeometry":
        """The geometry whose detector just sees the circle inscribed in a slice.

        Raises:
            UsageError: the focus of a fan beam would turn inside the field of view.
        """
        radius_mm = side * pixel_mm / 2
        half_mm, divergence = radius_mm, 0.0
        if settings.beam == "fan":
            distance_mm = settings.source_to_centre_mm
            if distance_mm <= math.sqrt(2) * radius_mm:
                raise UsageError(
                    f"source_to_centre_mm is {distance_mm:g}, and the slice reaches "
                    f"{math.sqrt(2) * radius_mm:.0f} mm from the axis of rotation; the focus must "
                    "turn outside it: raise source_to_centre_mm or take a smaller slice"
                )
            divergence = 1 / distance_mm
            half_mm = radius_mm / math.sqrt(1 - (radius_mm * divergence) ** 2)
        return cls(
            side=side,
            pixel_mm=pixel_mm,
            shots=settings.shots_per_rotation,
            detector_pixels=settings.detector_pixels or side,
            half_detector_mm=half_mm,
            divergence_per_mm=divergence,
        )

    @property
    def parallel(self) -> bool:
        """Whether opposite views hold the same rays."""
        return self.divergence_per_mm == 0

    @property
    def radius_mm(self) -> float:
        """Radius of the field of view, the circle inscribed in the slice."""
        return self.side * self.pixel_mm / 2

    @property
    def detector_pitch_mm(self) -> float:
        """Width of a detector pixel in the axis of rotation."""
        return 2 * self.half_detector_mm / self.detector_pixels

    def angles_rad(self, device: torch.device) -> torch.Tensor:
        """Angles of the shots that see distinct rays, (views): half a turn of a parallel beam."""
        views = self.shots // 2 if self.parallel else self.shots
        step_rad = 2 * math.pi / self.shots
        return (torch.arange(views, dtype=torch.float64, device=device) * step_rad).float()

    def detector_mm(self, device: torch.device) -> torch.Tensor:
        """Places `s` of the detector pixels, (detector_pixels), in the axis of rotation."""
        return _centred(self.detector_pixels, self.detector_pitch_mm, device)

    def slice_mm(self, device: torch.device) -> torch.Tensor:
        """Places of the pixels along either side of the slice, (side), the axis at 0."""
        return _centred(self.side, self.pixel_mm, device)

    def detector_position(self, device: torch.device) -> torch.Tensor:
        """The detector coordinate u of each pixel, (detector_pixels), from -1 to 1."""
        return self.detector_mm(device) / self.half_detector_mm

    def ray_stretch(self, device: torch.device) -> torch.Tensor:
        """Length of each ray for a unit of depth, (detector_pixels), ≥ 1."""
        return (1 + (self.detector_mm(device) * self.divergence_per_mm) ** 2).sqrt()


def _centred(count: int, pitch_mm: float, device: torch.device) -> torch.Tensor:
    return (torch.arange(count, device=device) - (count - 1) / 2) * pitch_mm
