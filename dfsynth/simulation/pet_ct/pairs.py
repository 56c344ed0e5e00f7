"""The pairs of the task `pet-ct`: a PET slice and the CT slice of the same place."""

import torch

from dfsynth.options import SimulateOptions
from dfsynth.simulation.pair_simulation import PairSimulation
from dfsynth.simulation.pet_ct.slices import pet_ct_slices


def pet_ct_pairs(options: SimulateOptions, _: torch.device) -> PairSimulation:
    """The simulation of `pet-ct`, by options that are already validated."""
    assert options.volumes is not None
    slices = pet_ct_slices(options.volumes, options.size, options.pet)
    return PairSimulation({"volume": slices}, {"pet": options.pet}, count=slices.count)
