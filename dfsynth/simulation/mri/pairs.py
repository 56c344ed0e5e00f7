"""The pairs of the MR tasks: a slice, and what is left of it by half a scan or a moved head."""

from dataclasses import dataclass

import numpy as np
import torch

from dfsynth.files.json_record import Json
from dfsynth.options import SimulateOptions
from dfsynth.options.simulate_tasks import MRI_MOTION, MRI_UNDERSAMPLED
from dfsynth.simulation.mri.motion import MotionRanges, draw_motion, scan_moving
from dfsynth.simulation.mri.slices import mr_slices
from dfsynth.simulation.mri.undersampling import draw_mask, undersample
from dfsynth.simulation.mri.volume import MrVolume
from dfsynth.simulation.pair_simulation import PairSimulation
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.volumes.slice_origin import ImagedSlice


@dataclass(frozen=True, slots=True)
class Undersampling:
    """Implements `SliceImaging`: a part of k-space, zero-filled."""

    mask: str
    """One of `dfsynth.options.MASKS`."""
    keep: float
    """Share of k-space that is kept."""

    def __call__(self, volume: MrVolume, index: int, streams: Streams) -> ImagedSlice:
        """See `SliceImaging`; the images (y, x) are over the volume's white."""
        image = volume.slice_at(index)
        mask = draw_mask(self.mask, volume.size, self.keep, streams("mask"))
        return ImagedSlice(
            arrays={
                "undersampled": undersample(image, mask),
                "magnitude": image,
                "kspace_mask": mask.astype(np.uint8),
            },
            drawn={
                "white": volume.white,
                "mask": self.mask,
                "kept_share": float(mask.mean()),
            },
        )


@dataclass(frozen=True, slots=True)
class MovedHead:
    """Implements `SliceImaging`: rigid moves while k-space is filled line by line."""

    ranges: MotionRanges

    def __call__(self, volume: MrVolume, index: int, streams: Streams) -> ImagedSlice:
        """See `SliceImaging`; the images (y, x) are over the volume's white."""
        motion = draw_motion(self.ranges, volume.size, streams("motion"))
        return ImagedSlice(
            arrays={
                "moved": scan_moving(volume, index, motion),
                "magnitude": volume.slice_at(index),
            },
            drawn={
                "white": volume.white,
                "moves": motion.moves,
                "move_mm": motion.longest_mm,
                "move_deg": motion.widest_deg,
                "farthest_mm": float(np.linalg.norm(motion.shifts_mm, axis=1).max()),
                "farthest_deg": float(np.linalg.norm(motion.turns_deg, axis=1).max()),
                "through_plane_mm": float(np.abs(motion.shifts_mm[:, 2]).max()),
                "moved_share": motion.moved_share(volume.size),
            },
        )


def undersampled_pairs(options: SimulateOptions, _: torch.device) -> PairSimulation:
    """The simulation of `mri-undersampled`, by options that are already validated."""
    assert options.volumes is not None
    imaging = Undersampling(options.mask, options.keep)
    slices = mr_slices(MRI_UNDERSAMPLED, options.volumes, options.size, imaging)
    settings: dict[str, Json] = {"mask": imaging.mask, "kept share of k-space": imaging.keep}
    return PairSimulation({"volume": slices}, settings, count=slices.count)


def moved_pairs(options: SimulateOptions, _: torch.device) -> PairSimulation:
    """The simulation of `mri-motion`, by options that are already validated."""
    assert options.volumes is not None
    least, most = options.moves
    ranges = MotionRanges((int(least), int(most)), options.move_mm, options.move_deg)
    slices = mr_slices(MRI_MOTION, options.volumes, options.size, MovedHead(ranges))
    settings: dict[str, Json] = {
        "moves": list(ranges.moves),
        "longest shift of a move in mm": list(ranges.move_mm),
        "widest turn of a move in degrees": list(ranges.move_deg),
    }
    return PairSimulation({"volume": slices}, settings, count=slices.count)
