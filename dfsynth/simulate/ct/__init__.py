"""Thoraxes from CT volumes: read, segmented, posed anew and laid before the beam."""

from dfsynth.simulate.ct.deconvolution import sharpen_projection
from dfsynth.simulate.ct.listing import CtListing, list_volumes
from dfsynth.simulate.ct.pose import CtPose, draw_pose
from dfsynth.simulate.ct.posed import CtAnatomy
from dfsynth.simulate.ct.reading import read_volume
from dfsynth.simulate.ct.thorax import CtThorax, build_thorax
from dfsynth.simulate.ct.volume import CtCandidate, CtFormat, CtLimits, CtVolume

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
