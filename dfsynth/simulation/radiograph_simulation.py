"""The pairs of dark-field radiography: drawn bodies, CT volumes, real radiographs."""

import torch

from dfsynth.options import SimulateOptions
from dfsynth.simulation.origins import CtOrigin, PairOrigin, PhantomOrigin, RadiographOrigin
from dfsynth.simulation.pair_simulation import PairSimulation
from dfsynth.simulation.sampling import SamplingOptions


def radiograph_pairs(options: SimulateOptions, device: torch.device) -> PairSimulation:
    """The simulation of `dark-field-radiography`, by options that are already validated.

    Raises:
        UsageError: a folder is not there.
    """
    sampling = SamplingOptions.of(options)
    origins: dict[str, PairOrigin] = {}
    if options.origin in ("phantom", "mixed"):
        origins["phantom"] = PhantomOrigin(sampling, options.seed, device)
    if options.ct is not None:
        origins["ct"] = CtOrigin(sampling, options.ct, device)
    if options.cxr is not None:
        origins["cxr"] = RadiographOrigin(sampling, options.cxr)
    return PairSimulation(origins, warnings=options.warnings_of_radiographs)
