"""The pairs of the task `pet-ct`: a PET slice and the CT slice of the same place."""

from typing import Final

import torch

from dfsynth.files.json_record import Json
from dfsynth.options import SimulateOptions
from dfsynth.simulation.pair_simulation import PairSimulation
from dfsynth.simulation.pet_ct.slices import pet_ct_slices

_REVISION: Final = 1
"""How often equal draws began to give another PET: 1, a field of view wider than the slice."""


def pet_ct_pairs(options: SimulateOptions, _: torch.device) -> PairSimulation:
    """The simulation of `pet-ct`, by options that are already validated."""
    assert options.volumes is not None
    slices = pet_ct_slices(options.volumes, options.size, options.pet)
    settings: dict[str, Json] = {"pet": options.pet}
    if options.pet != "measured":
        settings["revision of simulated PET"] = _REVISION
    return PairSimulation({"volume": slices}, settings, count=slices.count)
