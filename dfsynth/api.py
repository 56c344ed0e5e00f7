"""The Python interface beside `open_store`: one function for each job, as the command line has it.

Whatever a job needs is imported when it is called: a build loads nothing of training, and a
finished store is recognised before torch is loaded.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dfsynth.extras import load_extra
from dfsynth.options import (
    DEFAULT_MC_SAMPLES,
    BuildOptions,
    EvaluationOptions,
    SimulateOptions,
    TrainOptions,
)
from dfsynth.progress import Progress, Silent, SilentTraining, TrainProgress

if TYPE_CHECKING:
    from dfsynth.evaluate import Evaluation
    from dfsynth.inference import MapGenerator
    from dfsynth.jobs.commit import RunReport
    from dfsynth.jobs.simulator import PairMaker
    from dfsynth.train import TrainReport


def build(
    source: str | Path, out: str | Path, *, progress: Progress | None = None, **options: Any
) -> "RunReport":
    """Builds a store as `dfsynth build` does; `options` are the fields of `BuildOptions`.

    `size` may be one number or (height, width), `maps` one name or several.

    Call it again with the same arguments to go on where it stopped.

    Raises:
        UsageError: wrong options, no images, or a conflict with what the store holds.
        DfsynthError: a failure that ends the run; committed shards are intact.
        TypeError: an option that does not exist.
    """
    from dfsynth.jobs.build import run_build
    from dfsynth.jobs.checkpoint_generator import CheckpointMaker

    wanted = BuildOptions.of(source=source, out=out, **options)
    return run_build(wanted, CheckpointMaker(wanted), progress or Silent())


def simulate_pairs(
    out: str | Path, n: int, *, progress: Progress | None = None, **options: Any
) -> "RunReport":
    """Makes a store of `n` pairs as `dfsynth simulate` does; `options`: `SimulateOptions`' fields.

    `severity` and `kvp` may be one number or (min, max), `without` one name or several.

    Call it again with the same arguments to go on where it stopped.

    Raises:
        UsageError: wrong options, no usable input, or a conflict with what the store holds.
        DfsynthError: a failure that ends the run; committed shards are intact.
        TypeError: an option that does not exist.
    """
    from dfsynth.jobs.simulate import run_simulation

    wanted = SimulateOptions.of(out=out, n=n, **options)
    return run_simulation(wanted, load_simulator(wanted), progress or Silent())


def train_generator(
    recipe: str | Path,
    data: str | Path,
    out: str | Path,
    *,
    progress: TrainProgress | None = None,
    **options: Any,
) -> "TrainReport":
    """Trains a generator as `dfsynth train` does; `options` are the fields of `TrainOptions`.

    `out/best` is then a checkpoint, calibrated on the calibration patients where there are any.
    Call it again with the same arguments to go on where it stopped.

    Raises:
        UsageError: a recipe, pairs or device that cannot work, or a conflict with what `out` holds.
        DfsynthError: a failure that ends the run; the last state is kept.
        TypeError: an option that does not exist.
    """
    from dfsynth.train import run_training

    wanted = TrainOptions.of(recipe=recipe, data=data, out=out, **options)
    return run_training(wanted, progress or SilentTraining())


def evaluate_checkpoint(
    checkpoint: str | Path,
    data: str | Path,
    *,
    out: str | Path | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> "Evaluation":
    """Figures of a checkpoint on pairs, as `dfsynth evaluate` gives them.

    `options` are the fields of `EvaluationOptions`; with `out`, the files are written there.

    Raises:
        UsageError: wrong options, or pairs that cannot be used.
        CheckpointError: the checkpoint is damaged.
        StoreError: `out` cannot be written.
        TypeError: an option that does not exist.
    """
    evaluation = load_extra("dfsynth.evaluate", "evaluating", "train")
    wanted = EvaluationOptions.of(checkpoint=checkpoint, data=data, **options)
    folder = None if out is None else Path(out)
    report = evaluation.run_evaluation(wanted, folder, progress or Silent())
    scores: Evaluation = report.scores
    return scores


def load_simulator(options: SimulateOptions) -> "PairMaker":
    """The simulator for these options.

    Raises:
        UsageError: the libraries of the extra `simulate`, a device or a folder is not there.
    """
    simulation = load_extra("dfsynth.simulation", "simulating", "simulate")
    maker: PairMaker = simulation.make_simulator(options)
    return maker


def load_generator(
    checkpoint: str = "default",
    *,
    device: str = "auto",
    precision: str = "auto",
    mc_samples: int = DEFAULT_MC_SAMPLES,
    seed: int = 0,
) -> "MapGenerator":
    """A checkpoint to call on arrays: (n, H, W) in [0, 1], dense bright → mean and uncertainties.

    Raises:
        UsageError: no such checkpoint or device.
        CheckpointError: the checkpoint is damaged.
    """
    from dfsynth.checkpoint import checkpoint_path, read_checkpoint
    from dfsynth.devices import resolve_device, resolve_precision
    from dfsynth.inference import load_map_generator

    files = read_checkpoint(checkpoint_path(checkpoint))
    where = resolve_device(device)
    return load_map_generator(
        files, where, resolve_precision(precision, where), mc_samples, seed
    )
