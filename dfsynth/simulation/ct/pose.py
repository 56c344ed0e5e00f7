"""How one CT volume stands in front of the beam this time: drawn apart from being applied."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class CtPose:
    """One drawn pose; ranges of `draw_pose` are assumed."""

    scale: float
    """Size of the body over the scanned one."""
    width: float
    """Width of the body over the scanned one, at equal size."""
    depth: float
    """The same of its depth."""
    height: float
    """The same of its height; the product of the three is 1."""
    wall: float
    """Thickness of what lies outside the ribs over the scanned one: fat and muscle."""
    heart: float
    """Size of the middle of the heart over the scanned one."""
    yaw_deg: float
    """Turn about the vertical; positive turns the front to the patient's left."""
    pitch_deg: float
    """Lean about the axis from side to side; positive moves the head to the front."""
    roll_deg: float
    """Tilt in the image's plane; positive moves the head to the patient's left."""
    inflation: float
    """Upright lung volume over the scanned one at equal size, ≥ 1; the lungs' mass stays."""
    widening: float
    """Share of the inflation's logarithm that widens the chest; the rest lowers the domes."""
    warp_mm: float
    """Root mean square of each component of the smooth random displacement."""
    warp_scale_mm: float
    """Distance between the knots of the cubic B-spline that carries it."""
    warp_seed: int
    gravity: float
    """Share of the density's gradient, back to front as scanned, that turns to base and apex."""
    antero_posterior: bool
    """The beam enters at the front, as for people who lie or sit in bed."""


def draw_pose(rng: np.random.Generator) -> CtPose:
    """A standing or sitting patient, a little off the ideal position.

    Upright total lung capacity exceeds the supine one, and scans are often made short of full
    inspiration: the volume grows by a factor of 1.05 to 1.5.
    """
    proportions = np.clip(rng.normal(0, 0.06, 3), -0.12, 0.12)
    width, depth, height = np.exp(proportions - proportions.mean())
    return CtPose(
        scale=float(rng.uniform(0.92, 1.08)),
        width=float(width),
        depth=float(depth),
        height=float(height),
        wall=float(np.exp(rng.uniform(np.log(0.7), np.log(1.6)))),
        heart=float(np.exp(rng.uniform(np.log(0.85), np.log(1.25)))),
        yaw_deg=float(np.clip(rng.normal(0, 3), -8, 8)),
        pitch_deg=float(np.clip(rng.normal(0, 3.5), -9, 9)),
        roll_deg=float(np.clip(rng.normal(0, 2), -5, 5)),
        inflation=float(np.exp(rng.uniform(np.log(1.05), np.log(1.5)))),
        widening=float(rng.uniform(0.15, 0.4)),
        warp_mm=float(rng.uniform(1, 5)),
        warp_scale_mm=float(rng.uniform(100, 170)),
        warp_seed=int(rng.integers(2**31)),
        gravity=float(rng.uniform(0.5, 1)),
        antero_posterior=bool(rng.random() < 0.2),
    )
