"""A build whose store lies in an object store: made here shard by shard, and put as it is done."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dfsynth.errors import UsageError
from dfsynth.extras import require_library
from dfsynth.files.object_path import ObjectPath
from dfsynth.jobs.build import run_build
from dfsynth.jobs.build_estimate import BuildEstimate, estimate_build
from dfsynth.jobs.engine import RunReport
from dfsynth.jobs.generator import GeneratorMaker
from dfsynth.jobs.remote_shards import RemoteShards
from dfsynth.options import BuildOptions
from dfsynth.progress import Progress
from dfsynth.store import StoreLayout
from dfsynth.store.remote import RemoteStore, staging


def build_anywhere(
    options: BuildOptions,
    maker: GeneratorMaker,
    progress: Progress,
    stopped: Callable[[], bool] = lambda: False,
) -> RunReport:
    """`run_build` for a store on a disk, and the same for one in an object store.

    Raises:
        UsageError, DfsynthError: as `run_build`.
    """
    if isinstance(options.out, ObjectPath):
        return _build_remote(options, options.out, maker, progress, stopped)
    return run_build(options, maker, progress, stopped)


def estimate_anywhere(options: BuildOptions, maker: GeneratorMaker) -> BuildEstimate:
    """`estimate_build` for a store on a disk, and the same for one in an object store.

    Raises:
        UsageError: as `estimate_build`, or the library of the engine is not installed.
    """
    if options.engine == "ray":
        require_library("ray", "--engine ray", "ray")
    if not isinstance(options.out, ObjectPath):
        return estimate_build(options, maker)
    _require_possible(options, options.out)
    with staging(options.out) as folder:
        RemoteStore(options.out).fetch(StoreLayout(folder))
        return estimate_build(replace(options, out=folder), maker)


def _build_remote(
    options: BuildOptions,
    root: ObjectPath,
    maker: GeneratorMaker,
    progress: Progress,
    stopped: Callable[[], bool],
) -> RunReport:
    _require_possible(options, root)
    remote = RemoteStore(root)
    remote.probe()
    with staging(root) as folder:
        local, layout = replace(options, out=folder), StoreLayout(folder)
        shards = RemoteShards(remote, layout)
        remote.fetch(layout)
        report = run_build(local, maker, progress, stopped, shards.publish, shards)
        shards.publish_card()
    return replace(report, store=str(root), resumed=not shards.planned_here)


def _require_possible(options: BuildOptions, root: ObjectPath) -> None:
    if StoreLayout(Path(root.name)).is_file:
        raise UsageError(
            f"--out {root}: HDF5 stores are written to a disk alone; expected a name such as "
            "s3://BUCKET/x.zarr"
        )
    given = {
        "--overwrite": options.overwrite,
        "--extend": options.extend,
        "--retry-failed": options.retry_failed is not None,
    }
    for option, is_given in given.items():
        if is_given:
            raise UsageError(
                f"{option}: not for a store in an object store; expected a store on a disk (copy "
                "it there), or several builds with --partition I/N"
            )
