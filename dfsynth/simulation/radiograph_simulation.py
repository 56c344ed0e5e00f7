"""The pairs of dark-field radiography: drawn bodies, CT volumes, real radiographs."""

import torch

from dfsynth.errors import UsageError
from dfsynth.inference import CheckpointRestorer, load_restorer
from dfsynth.options import SimulateOptions
from dfsynth.simulation.origins import CtOrigin, PairOrigin, PhantomOrigin, RadiographOrigin
from dfsynth.simulation.origins.restored import RestoredOrigin
from dfsynth.simulation.pair_simulation import PairSimulation
from dfsynth.simulation.sampling import SamplingOptions


def radiograph_pairs(options: SimulateOptions, device: torch.device) -> PairSimulation:
    """The simulation of `dark-field-radiography`, by options that are already validated.

    Raises:
        UsageError: a folder is not there, or no network restores images of this size.
    """
    restorer = _open_restorer(options, device)
    sampling = SamplingOptions.of(options)
    origins: dict[str, PairOrigin] = {}
    if options.origin in ("phantom", "mixed"):
        origins["phantom"] = PhantomOrigin(sampling, options.seed, device)
    if options.ct is not None:
        origins["ct"] = CtOrigin(sampling, options.ct, device)
    settings = {}
    if restorer is not None:
        origins = {name: RestoredOrigin(origin, restorer) for name, origin in origins.items()}
        settings = {"restorer": restorer.fingerprint()}
    if options.cxr is not None:
        origins["cxr"] = RadiographOrigin(sampling, options.cxr)
    return PairSimulation(origins, settings, options.warnings_of_radiographs)


def _open_restorer(options: SimulateOptions, device: torch.device) -> CheckpointRestorer | None:
    """What restores radiographs of bodies, if anything; of the size that it was trained on alone.

    Elsewhere it would take the blur of its images for finer or coarser than it is.
    """
    if options.display != "restored":
        return None
    restorer = load_restorer(options.restorer, device)
    if restorer.grid != (options.size, options.size):
        height, width = restorer.grid
        raise UsageError(
            f"--restorer {options.restorer} was trained on {height}x{width} pixels; expected "
            f"--size {height}, found {options.size}"
        )
    return restorer
