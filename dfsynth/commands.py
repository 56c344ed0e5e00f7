"""Jobs that are handed a part from another package, for the command line and `dfsynth.api` alike.

A build gets its generator here, a simulation its simulator, a filter the calibration of errors,
which the jobs know by protocols only. Jobs without such a part are called in their own modules.
Whatever a job needs is imported when it is called, see `dfsynth.api`.
"""

from typing import TYPE_CHECKING

from dfsynth.extras import load_evaluation, load_extra
from dfsynth.options import BuildOptions, FilterOptions, SimulateOptions
from dfsynth.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from dfsynth.jobs.engine import RunReport
    from dfsynth.jobs.filter import Filtered
    from dfsynth.jobs.pair_maker import PairMaker


def build_store(
    options: BuildOptions, progress: Progress, stopped: "Callable[[], bool]" = lambda: False
) -> "RunReport":
    """Builds a store by options that are already validated; see `build`.

    `stopped` is asked between batches: whether the run is to end soon, and keep what it has made.

    Raises:
        UsageError, DfsynthError: as `build`.
    """
    from dfsynth.jobs.build_remote import build_anywhere
    from dfsynth.jobs.checkpoint_generator import CheckpointMaker

    return build_anywhere(options, CheckpointMaker(options), progress, stopped)


def filter_images(options: FilterOptions, progress: Progress) -> "Filtered":
    """Chooses images by options that are already validated; see `filter_store`.

    Raises:
        UsageError, ConflictError, DfsynthError: as `filter_store`.
    """
    from dfsynth.jobs.filter import run_filter

    return run_filter(options, lambda *given: load_evaluation().calibrate_errors(*given), progress)


def simulate_store(options: SimulateOptions, progress: Progress) -> "RunReport":
    """Makes a store of pairs by options that are already validated; see `simulate_pairs`.

    Raises:
        UsageError, DfsynthError: as `simulate_pairs`.
    """
    from dfsynth.jobs.simulate import run_simulation

    return run_simulation(options, load_simulator(options), progress)


def load_simulator(options: SimulateOptions) -> "PairMaker":
    """The simulator for these options.

    Raises:
        UsageError: the libraries of the extra `simulate`, a device or a folder is not there.
    """
    simulation = load_extra("dfsynth.simulation", "simulating", "simulate")
    maker: PairMaker = simulation.Simulator(options)
    return maker
