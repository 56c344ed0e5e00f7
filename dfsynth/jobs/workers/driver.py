"""The process that plans a build and gives its shards to workers; it generates nothing itself."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dfsynth.checkpoint import checkpoint_path
from dfsynth.files.faults import is_there
from dfsynth.files.object_path import AnyPath
from dfsynth.jobs.build_planning import BuildJob, ThisMachine
from dfsynth.jobs.claims import Claims
from dfsynth.jobs.commit import Tally
from dfsynth.jobs.engine import partition_shards
from dfsynth.jobs.failure_counts import count_failures
from dfsynth.jobs.planning import Planned
from dfsynth.jobs.remote_shards import RemoteShards
from dfsynth.jobs.work_list import WorkList
from dfsynth.jobs.workers.dispatch import Dispatch, Workers, started
from dfsynth.jobs.workers.processes import ProcessWorkers
from dfsynth.jobs.workers.ray_cluster import connected, places_of, resources_of
from dfsynth.jobs.workers.ray_workers import RayWorkers
from dfsynth.options import ALL_GPUS, BuildOptions
from dfsynth.progress import Progress
from dfsynth.source import known_corpora
from dfsynth.store.build_record import BuildRecord
from dfsynth.threads.pool import available_cores


@contextmanager
def workers_for(job: BuildJob, store: AnyPath) -> Iterator[tuple[Workers | None, BuildJob]]:
    """The workers that the options ask for, and the job as it is planned for them.

    None where this process is to do the work.

    Args:
        job: Of the build.
        store: Where the workers find the store.

    Raises:
        UsageError: there is no such device, no Ray or no cluster.
    """
    options = job.options
    if options.engine == "ray":
        with connected(options.ray_address) as ray:
            device = "cuda" if options.device == ALL_GPUS else options.device
            places = places_of(resources_of(ray), device, options.ray_workers, options.ray_cores)
            workers = RayWorkers(ray, worker_options(options, store), places)
            with started(workers):
                yield workers, replace(job, elsewhere=workers)
    elif options.device == ALL_GPUS:
        devices = gpus_here(options.device)
        cores = max(available_cores() // len(devices), 1)
        with started(ProcessWorkers(worker_options(options, store), devices, cores)) as processes:
            yield processes, replace(job, elsewhere=ThisMachine(job.maker, len(devices)))
    else:
        yield None, job


def gpus_here(wanted: str) -> tuple[str, ...]:
    """The names of all GPUs of this machine.

    Raises:
        UsageError: there is none.
    """
    from dfsynth.devices import resolve_devices

    return tuple(map(str, resolve_devices(wanted)))


def worker_options(options: BuildOptions, store: AnyPath) -> BuildOptions:
    """What workers are told: to go on with a store that is planned, by paths that hold everywhere.

    Raises:
        UsageError: there is no such checkpoint.
    """
    source, checkpoint = options.source, options.checkpoint
    names = {corpus.name for corpus in known_corpora()}
    if source not in names and Path(source).exists():
        source = str(Path(source).absolute())
    if checkpoint_path(checkpoint) == Path(checkpoint):
        checkpoint = str(Path(checkpoint).absolute())
    return replace(
        options,
        source=source,
        checkpoint=checkpoint,
        out=store.absolute() if isinstance(store, Path) else store,
        root=options.root.absolute() if isinstance(options.root, Path) else options.root,
        engine="local",
        ray_address=None,
        ray_workers=None,
        ray_cores=None,
        overwrite=False,
        extend=False,
    )


def spread_partition(
    workers: Workers,
    job: BuildJob,
    planned: Planned[BuildRecord],
    progress: Progress,
    stopped: Callable[[], bool],
    remote: RemoteShards | None = None,
) -> tuple[Tally, Mapping[str, float]]:
    """Every uncommitted shard of the options' partition, by workers; and where they stood still.

    Args:
        workers: Who does the work.
        job: Of the build.
        planned: What is to be done.
        progress: Who is told.
        stopped: Asked all the time: whether the run is to end soon.
        remote: The store that the planned folder stands for, where it does. The workers put their
            shards there, and at the end their parts are brought into the folder.

    Raises:
        DfsynthError: the first error that a worker met; committed shards are intact.
    """
    layout, record, options = planned.layout, planned.record, job.options
    work = WorkList(layout, record, options.retry_failed)
    shards = partition_shards(record, options.partition)
    pending = Claims(layout, planned.lock, record, shards, work.again).pending
    rows = {shard: work.count([shard]) for shard in pending}
    progress.start(sum(rows.values()))
    if remote is not None and pending:
        remote.prepare()

    def committed(lost: Sequence[int]) -> Iterator[Tally]:
        if remote is not None:
            remote.fetch_parts()
        # One that is made once more has its part before and after: its worker alone could say.
        fresh = [shard for shard in lost if shard not in work.again]
        found = [shard for shard in fresh if is_there(layout.part(shard))]
        failed: Counter[int] = Counter()
        for (shard, _), count in count_failures(layout).items() if found else ():
            failed[shard] += count
        for shard in found:
            yield Tally(max(rows[shard] - failed[shard], 0), min(failed[shard], rows[shard]))

    dispatch = Dispatch(workers, pending, progress, stopped, committed)
    return dispatch.run(), dispatch.stalls
