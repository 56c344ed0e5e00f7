"""A build whose store lies in an object store: made here shard by shard, and put as it is done."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dfsynth.errors import UsageError
from dfsynth.files.object_path import ObjectPath
from dfsynth.jobs.build import run_build
from dfsynth.jobs.build_estimate import BuildEstimate, estimate_build
from dfsynth.jobs.build_planning import BuildJob
from dfsynth.jobs.build_source import open_build_source
from dfsynth.jobs.engine import RunReport
from dfsynth.jobs.generator import GeneratorMaker, MadeOnce
from dfsynth.jobs.planning import plan_or_resume
from dfsynth.jobs.store_card import update_card
from dfsynth.options import BuildOptions
from dfsynth.progress import Progress
from dfsynth.store import StoreLayout
from dfsynth.store.record import read_record
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
        UsageError: as `estimate_build`.
    """
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
    remote, once = RemoteStore(root), MadeOnce(maker)
    remote.probe()
    with staging(root) as folder:
        local, layout = replace(options, out=folder), StoreLayout(folder)
        resumed = remote.fetch(layout)
        if not resumed:
            job = BuildJob(local, open_build_source(options, maker.facts.intensity), once)
            with plan_or_resume(job, layout, progress):
                pass
            if not remote.publish_plan(layout):
                shutil.rmtree(folder)
                resumed = remote.fetch(layout)
        publisher = _Publisher(remote, layout)
        report = run_build(local, once, progress, stopped, publisher.publish)
        _publish_card(remote, layout)
    return replace(report, store=str(root), resumed=resumed)


def _publish_card(remote: RemoteStore, layout: StoreLayout) -> None:
    """Puts the card; that of a finished store where the shards of all processes make it one."""
    shards = read_record(layout.build).shards
    if len(layout.committed_shards()) < shards:
        remote.fetch_parts(layout)
        update_card(layout)
    remote.publish_card(layout, replacing=len(layout.committed_shards()) == shards)


class _Publisher:
    """Puts shards as they are committed in the folder; before the first, the documents."""

    def __init__(self, remote: RemoteStore, layout: StoreLayout) -> None:
        self._remote = remote
        self._layout = layout
        self._names: list[str] = []

    def publish(self, shard: int) -> None:
        """See `RemoteStore.publish_shard`."""
        if not self._names:
            self._names = [spec.name for spec in read_record(self._layout.build).arrays]
            self._remote.publish_documents(self._layout)
            self._remote.publish_card(self._layout, replacing=False)
        self._remote.publish_shard(self._layout, self._names, shard)


def _require_possible(options: BuildOptions, root: ObjectPath) -> None:
    if StoreLayout(Path(root.name)).is_file:
        raise UsageError(
            f"--out {root}: HDF5 stores are written to a disk alone; expected a name such as "
            "s3://BUCKET/x.zarr"
        )
    given = {
        "--engine ray": options.engine == "ray",
        "--device cuda:all": options.device == "cuda:all",
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
