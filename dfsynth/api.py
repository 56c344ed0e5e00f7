"""The Python interface beside `open_store`: build or simulate, or run a checkpoint on arrays."""

from importlib import import_module
from pathlib import Path
from typing import Any

from dfsynth.checkpoint import checkpoint_path, read_checkpoint
from dfsynth.config import DEFAULT_MC_SAMPLES, BuildOptions, SimulateOptions
from dfsynth.errors import UsageError
from dfsynth.generate import TorchGenerator, load_network, resolve_device, resolve_precision
from dfsynth.maker import CheckpointMaker
from dfsynth.pipeline import BuildReport, PairMaker, Progress, RunReport, Silent
from dfsynth.pipeline import build as run_build
from dfsynth.pipeline import simulate as run_simulation


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


def load_simulator(options: SimulateOptions) -> PairMaker:
    """The simulator for these options.

    Raises:
        UsageError: the libraries of the extra `simulate`, a device or a folder is not there.
    """
    try:
        # Here, because the extra's libraries need not be there for anything else.
        simulator = import_module("dfsynth.simulator")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("dfsynth"):
            raise
        raise UsageError(
            f"simulating needs the library {error.name}, which is not installed; "
            "install dfsynth with its extra: dfsynth[simulate]"
        ) from error
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
