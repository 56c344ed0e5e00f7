"""A dark-field CT scan of one slice, from coefficients to reconstructions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from dfsynth.records import Float32Map
from dfsynth.simulation.dark_field_ct.acquisition import Scanner
from dfsynth.simulation.dark_field_ct.geometry import ScanGeometry
from dfsynth.simulation.dark_field_ct.phase_stepping import step_over_rotations
from dfsynth.simulation.dark_field_ct.projector import project
from dfsynth.simulation.dark_field_ct.reconstruction import reconstruct
from dfsynth.simulation.dark_field_ct.retrieval import Fringe, FringeSums, to_line_integrals
from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings
from dfsynth.simulation.dark_field_ct.slice_object import SliceObject
from dfsynth.simulation.dark_field_ct.vibration import FringePhase, draw_phase
from dfsynth.simulation.dark_field_ct.views import average_to_views


@dataclass(frozen=True, slots=True)
class ScannedSlice:
    """What a scanner makes of a slice, and the truth; maps (y, x) float32 in 1/m."""

    single_rotation: Float32Map
    """Dark-field coefficient from one rotation by sliding-window retrieval: with streaks."""
    multi_rotation: Float32Map
    """Dark-field coefficient from all rotations by virtual phase stepping."""
    truth: Float32Map
    """The object's own dark-field coefficient."""
    attenuation: Float32Map
    """Attenuation coefficient from the same rotation and windows as `single_rotation`."""
    parameters: Mapping[str, float]
    """Everything that was drawn, by name."""


def scan(
    slice_object: SliceObject,
    settings: ScanSettings,
    rng: np.random.Generator,
    device: torch.device,
) -> ScannedSlice:
    """Scans a slice and reconstructs it; equal states of `rng` give equal draws on any `device`.

    Raises:
        UsageError: the focus of a fan beam would turn inside the slice.
    """
    geometry = ScanGeometry.of(settings, slice_object.size, slice_object.pixel_mm)
    scanner = Scanner(settings, geometry, device)
    maps = np.stack([slice_object.mu_per_m, slice_object.dark_field_per_m])
    attenuation, dark_field = project(torch.from_numpy(maps).to(device), geometry)
    phase, reference_phase = draw_phase(settings, rng), draw_phase(settings, rng)
    reference = _take_reference(scanner, reference_phase, rng)
    turns = scanner.expose(attenuation, dark_field, phase, settings.rotations, rng)
    first = FringeSums.of(next(turns))
    every = step_over_rotations(first, turns)
    single = to_line_integrals(first.over_neighbours(settings.window_shots).fit(), reference)
    multi = to_line_integrals(every.over_neighbours(settings.stepping_shots).fit(), reference)
    views, view_geometry = average_to_views(torch.cat([single, multi[:1]]), geometry)
    slices = reconstruct(views, view_geometry, settings.filter).cpu().numpy()
    return ScannedSlice(
        single_rotation=slices[0],
        multi_rotation=slices[2],
        truth=slice_object.dark_field_per_m,
        attenuation=slices[1],
        parameters=phase.parameters("scan") | reference_phase.parameters("reference"),
    )


def _take_reference(scanner: Scanner, phase: FringePhase, rng: np.random.Generator) -> Fringe:
    """Mean and visibility without object, (1, detector_pixels): one fit to a turn of air.

    Without a reference scan they are known: N0 and V0.
    """
    settings, device = scanner.settings, scanner.device
    if not settings.reference_scan:
        known = torch.ones(1, scanner.geometry.detector_pixels, device=device)
        return Fringe(settings.photons * known, settings.visibility * known)
    air = torch.zeros(1, 1, device=device)
    (turn,) = scanner.expose(air, air, phase, 1, rng)
    return FringeSums.of(turn).over_turn().fit()
