"""The Python interface beside `open_store`: build or simulate, or run a checkpoint on arrays."""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from dfsynth.checkpoint import checkpoint_path, read_checkpoint
from dfsynth.devices import resolve_device, resolve_precision
from dfsynth.errors import UsageError
from dfsynth.inference import TorchGenerator, load_network
from dfsynth.jobs.build import BuildReport, run_build
from dfsynth.jobs.checkpoint_generator import CheckpointMaker
from dfsynth.jobs.commit import RunReport
from dfsynth.jobs.simulate import run_simulation
from dfsynth.jobs.simulator import PairMaker
from dfsynth.options import DEFAULT_MC_SAMPLES, BuildOptions, SimulateOptions, TrainOptions
from dfsynth.progress import Progress, Silent, SilentTraining, TrainProgress
from dfsynth.train import TrainReport
from dfsynth.train import train_generator as run_training

if TYPE_CHECKING:
    from dfsynth.evaluate import Evaluation


def build(
    source: str | Path, out: str | Path, *, progress: Progress | None = None, **options: Any
) -> BuildReport:
    """Builds a store as `dfsynth build` does; `options` are the fields of `BuildOptions`.

    `size` may be one number or (height, width), `maps` one name or several.

    Call it again with the same arguments to go on where it stopped.

    Raises:
        UsageError: wrong options, no images, or a conflict with what the store holds.
        DfsynthError: a failure that ends the run; committed shards are intact.
        TypeError: an option that does not exist.
    """
    if options.get("root") is not None:
        options["root"] = Path(options["root"])
    size, maps = options.get("size"), options.get("maps")
    if isinstance(size, int):
        options["size"] = (size, size)
    elif size is not None:
        options["size"] = tuple(size)
    if maps is not None:
        options["maps"] = (maps,) if isinstance(maps, str) else tuple(maps)
    configuration = BuildOptions(source=str(source), out=Path(out), **options)
    return run_build(configuration, CheckpointMaker(configuration), progress or Silent())


def simulate_pairs(
    out: str | Path, n: int, *, progress: Progress | None = None, **options: Any
) -> RunReport:
    """Makes a store of `n` pairs as `dfsynth simulate` does; `options`: `SimulateOptions`' fields.

    `severity` and `kvp` may be one number or (min, max), `without` one name or several.

    Call it again with the same arguments to go on where it stopped.

    Raises:
        UsageError: wrong options, no usable input, or a conflict with what the store holds.
        DfsynthError: a failure that ends the run; committed shards are intact.
        TypeError: an option that does not exist.
    """
    for name in ("ct", "cxr"):
        if options.get(name) is not None:
            options[name] = Path(options[name])
    for name in ("severity", "kvp"):
        if isinstance(options.get(name), int | float):
            options[name] = (options[name], options[name])
        elif options.get(name) is not None:
            options[name] = tuple(options[name])
    if options.get("without") is not None:
        names = options["without"]
        options["without"] = (names,) if isinstance(names, str) else tuple(names)
    configuration = SimulateOptions(out=Path(out), n=n, **options)
    return run_simulation(configuration, load_simulator(configuration), progress or Silent())


def train_generator(
    recipe: str | Path,
    data: str | Path,
    out: str | Path,
    *,
    progress: TrainProgress | None = None,
    **options: Any,
) -> TrainReport:
    """Trains a generator as `dfsynth train` does; `options` are the fields of `TrainOptions`.

    `out/best` is then a checkpoint, calibrated on the calibration patients where there are any.
    Call it again with the same arguments to go on where it stopped.

    Raises:
        UsageError: a recipe, pairs or device that cannot work, or a conflict with what `out` holds.
        DfsynthError: a failure that ends the run; the last state is kept.
        TypeError: an option that does not exist.
    """
    if options.get("targets") is not None:
        options["targets"] = Path(options["targets"])
    configuration = TrainOptions(recipe=str(recipe), data=Path(data), out=Path(out), **options)
    told = progress or SilentTraining()
    report = run_training(configuration, told)
    # Of the card, not of this call: a kill may have come between training and calibration.
    missing = report.writes and not read_checkpoint(report.best).card.calibration
    if missing and not report.pairs["calibration"]:
        told.message("the intervals are not calibrated: no pair is of a calibration patient")
    elif missing:
        _calibrate(report.best, configuration, told)
    return report


def _calibrate(best: Path, configuration: TrainOptions, told: TrainProgress) -> None:
    try:
        evaluation = load_evaluation()
    except UsageError as error:
        told.message(f"the intervals are not calibrated: {error}")
        return
    told.message("calibrating the intervals on the calibration patients")
    found = evaluation.calibrate_checkpoint(
        best,
        configuration.data,
        configuration.targets,
        Silent(),
        device=configuration.device,
        precision=configuration.precision,
    )
    for doubt in found.doubts():
        told.message(f"warning: {doubt}")


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
    for name in ("targets", "ood"):
        if options.get(name) is not None:
            options[name] = Path(options[name])
    evaluation = load_evaluation()
    configuration = evaluation.EvaluationOptions(str(checkpoint), Path(data), **options)
    if out is not None:
        evaluation.prepare_output(Path(out))
    report = evaluation.evaluate_checkpoint(configuration, progress or Silent())
    if out is not None:
        evaluation.write_report(report, Path(out))
    scores: Evaluation = report.scores
    return scores


def load_evaluation() -> ModuleType:
    """`dfsynth.evaluate`.

    Raises:
        UsageError: a library of the extra `train` is not installed.
    """
    return _load_extra("dfsynth.evaluate", "evaluating", "train")


def load_simulator(options: SimulateOptions) -> PairMaker:
    """The simulator for these options.

    Raises:
        UsageError: the libraries of the extra `simulate`, a device or a folder is not there.
    """
    simulator = _load_extra("dfsynth.simulation.simulator_pkg", "simulating", "simulate")
    maker: PairMaker = simulator.make_simulator(options)
    return maker


def load_generator(
    checkpoint: str = "default",
    *,
    device: str = "auto",
    precision: str = "auto",
    mc_samples: int = DEFAULT_MC_SAMPLES,
    seed: int = 0,
) -> TorchGenerator:
    """A checkpoint to call on arrays: (n, H, W) in [0, 1], dense bright → mean and uncertainties.

    Raises:
        UsageError: no such checkpoint or device.
        CheckpointError: the checkpoint is damaged.
    """
    files = read_checkpoint(checkpoint_path(checkpoint))
    where = resolve_device(device)
    return TorchGenerator(
        load_network(files), where, resolve_precision(precision, where), mc_samples, seed
    )


def _load_extra(module: str, doing: str, extra: str) -> ModuleType:
    """A module of ours whose libraries need not be there for anything else."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("dfsynth"):
            raise
        raise UsageError(
            f"{doing} needs the library {error.name}, which is not installed; "
            f"install dfsynth with its extra: dfsynth[{extra}]"
        ) from error
