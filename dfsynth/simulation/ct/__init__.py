"""Thoraxes from CT volumes: read, segmented, posed anew and laid before the beam."""

from dfsynth.simulation.ct.deconvolution import sharpen_projection
from dfsynth.simulation.ct.loading import read_volume
from dfsynth.simulation.ct.pose import CtPose, draw_pose
from dfsynth.simulation.ct.posed import CtAnatomy
from dfsynth.simulation.ct.thorax import CtThorax, build_thorax
from dfsynth.simulation.ct.volume import CtLimits, CtVolume

__all__ = [
    "CtAnatomy",
    "CtLimits",
    "CtPose",
    "CtThorax",
    "CtVolume",
    "build_thorax",
    "draw_pose",
    "read_volume",
    "sharpen_projection",
]
