"""Thoraxes from CT volumes: read, segmented, posed anew and laid before the beam."""

from dfsynth.simulation.ct.deconvolution import sharpen_projection
from dfsynth.simulation.ct.listing import CtListing, list_volumes
from dfsynth.simulation.ct.loading import read_volume
from dfsynth.simulation.ct.pose import CtPose, draw_pose
from dfsynth.simulation.ct.posed import CtAnatomy
from dfsynth.simulation.ct.thorax import CtThorax, build_thorax
from dfsynth.simulation.ct.volume import CtCandidate, CtFormat, CtLimits, CtVolume

__all__ = [
    "CtAnatomy",
    "CtCandidate",
    "CtFormat",
    "CtLimits",
    "CtListing",
    "CtPose",
    "CtThorax",
    "CtVolume",
    "build_thorax",
    "draw_pose",
    "list_volumes",
    "read_volume",
    "sharpen_projection",
]
