"""The pairs of the task `restoration`: CT volumes, drawn bodies, real radiographs."""

import torch

from dfsynth.options import SimulateOptions
from dfsynth.simulation.origins import PairOrigin
from dfsynth.simulation.pair_simulation import PairSimulation
from dfsynth.simulation.restoration.degraders import open_degrader
from dfsynth.simulation.restoration.radiographs import BlurredRadiographs


def restoration_pairs(options: SimulateOptions, _: torch.device) -> PairSimulation:
    """The simulation of `restoration`, by options that are already validated.

    Raises:
        UsageError: a folder is not there, or `--degrader` is none.
    """
    degrader = open_degrader(options.degrader)
    origins: dict[str, PairOrigin] = {}
    if options.cxr is not None:
        origins["cxr"] = BlurredRadiographs(options.cxr, options.size, degrader)
    return PairSimulation(
        origins, {"degrader": degrader.name, "degrader's revision": degrader.fingerprint()}
    )
