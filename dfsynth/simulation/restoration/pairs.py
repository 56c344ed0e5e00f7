"""The pairs of the task `restoration`: CT volumes, drawn bodies, real radiographs."""

import torch

from dfsynth.files.json_record import Json
from dfsynth.options import SimulateOptions
from dfsynth.simulation.origins import CtOrigin, PairOrigin, PhantomOrigin
from dfsynth.simulation.pair_simulation import PairSimulation
from dfsynth.simulation.restoration.blurring import Blurring
from dfsynth.simulation.restoration.bodies import BlurredBodies
from dfsynth.simulation.restoration.degraders import open_degrader
from dfsynth.simulation.restoration.radiographs import BlurredRadiographs
from dfsynth.simulation.sampling import SamplingOptions


def restoration_pairs(options: SimulateOptions, device: torch.device) -> PairSimulation:
    """The simulation of `restoration`, by options that are already validated.

    Raises:
        UsageError: a folder is not there, or `--degrader` is none.
    """
    degrader = open_degrader(options.degrader, device)
    blurring = Blurring(degrader, options.blurred_look == "plain")
    sampling = SamplingOptions.of(options)
    image = BlurredBodies(blurring, options.nodules, options.nodule_mm)
    origins: dict[str, PairOrigin] = {}
    if options.origin == "phantom":
        origins["phantom"] = PhantomOrigin(sampling, options.seed, device, image)
    if options.ct is not None:
        origins["ct"] = CtOrigin(sampling, options.ct, device, image)
    if options.cxr is not None:
        origins["cxr"] = BlurredRadiographs(options.cxr, options.size, blurring)
    settings: dict[str, Json] = {
        "degrader": blurring.name,
        "revision of the degrader": degrader.fingerprint(),
        "share with nodules": options.nodules,
        "diameter of nodules in mm": list(options.nodule_mm),
    }
    return PairSimulation(origins, settings, options.warnings_of_radiographs)
