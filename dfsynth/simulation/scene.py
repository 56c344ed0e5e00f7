"""A patient in front of the beam: what the origins that have voxels hand to the imaging layers."""

from dataclasses import dataclass, replace

import torch

from dfsynth.simulation.ct import CtAnatomy, CtPose, CtThorax, sharpen_projection
from dfsynth.simulation.phantom import BodyParameters, PhantomAnatomy
from dfsynth.simulation.projection.anatomy import Anatomy
from dfsynth.simulation.projection.beam import ConeBeam
from dfsynth.simulation.projection.field_of_view import draw_field_of_view, find_lungs, frame_lungs
from dfsynth.simulation.projection.projected_body import ProjectedBody, project_body
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue import LungTissue, TissueParameters

_PROBE_STEP_MM = 8.0
_PROBE = ConeBeam(rows=64, columns=64, pixel_mm=8.0)
"""Looks at a whole phantom, to find its lungs before the image is framed."""
_PHANTOM_REACH_MM = (-400.0, 400.0)
_BEYOND_SCAN_MM = 60.0
"""How far an image may look past the first and last slice, where the body is made up."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One patient, one pose, one image frame."""

    anatomy: Anatomy
    beam: ConeBeam
    tissue: TissueParameters
    scanned: bool = False
    """Whether the anatomy comes from a scan, which has less detail than a radiograph."""

    def project(self, streams: Streams) -> ProjectedBody:
        """The line integrals; `streams` are those that the tissue was drawn from."""
        tissue = LungTissue(self.tissue, self.anatomy, streams)
        body = project_body(self.anatomy, tissue, self.tissue.eps_healthy_per_m, self.beam)
        if not self.scanned:
            return body
        pixel_mm = self.beam.pixel_mm
        return replace(
            body,
            water_mm=sharpen_projection(body.water_mm, pixel_mm),
            bone_mm=sharpen_projection(body.bone_mm, pixel_mm),
        )


def pose_phantom(
    body: BodyParameters,
    tissue: TissueParameters,
    streams: Streams,
    size: int,
    device: torch.device,
) -> Scene:
    """A phantom with the image framed over its lungs, `size` pixels square.

    Raises:
        ValueError: the phantom has no lungs.
    """
    grid, whole = PhantomAnatomy(body, _PROBE, device).coarse(_PROBE_STEP_MM)
    lungs = find_lungs(grid, whole)
    if lungs is None:
        raise ValueError(f"the phantom has no lungs: {body}")
    field_of_view = draw_field_of_view(streams("framing"), str(body.projection))
    beam = frame_lungs(field_of_view, lungs, grid, _PHANTOM_REACH_MM, size)
    return Scene(PhantomAnatomy(body, beam, device), beam, tissue)


def pose_ct(
    thorax: CtThorax, pose: CtPose, tissue: TissueParameters, streams: Streams, size: int
) -> Scene:
    """A scanned thorax with the image framed over its lungs, within what was scanned.

    Raises:
        ValueError: the pose has no lungs.
    """
    grid, whole = CtAnatomy(thorax, pose, _PROBE).coarse(_PROBE_STEP_MM)
    lungs = find_lungs(grid, whole)
    if lungs is None:
        raise ValueError(f"no lungs in {thorax.key} posed as {pose}")
    top, bottom = thorax.lung_box[1]
    slices = thorax.fields.shape[2]
    step_mm = thorax.step_mm * pose.scale * pose.height
    above = top * step_mm + _BEYOND_SCAN_MM
    below = (slices - 1 - bottom) * step_mm + _BEYOND_SCAN_MM
    reach = (lungs.bottom_mm - below, lungs.top_mm + above)
    field_of_view = draw_field_of_view(streams("framing"), "AP" if pose.antero_posterior else "PA")
    beam = frame_lungs(field_of_view, lungs, grid, reach, size)
    return Scene(CtAnatomy(thorax, pose, beam), beam, tissue, scanned=True)
