"""The main job: source → decode → preprocess → generate → score → write → manifest."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from dfsynth.jobs.build_planning import BuildJob
from dfsynth.jobs.build_source import open_build_source
from dfsynth.jobs.claims import Claims
from dfsynth.jobs.commit import Tally
from dfsynth.jobs.engine import RunReport, Work, partition_shards, report_run
from dfsynth.jobs.extension import extend_store, tell_new_inputs
from dfsynth.jobs.generator import GeneratorMaker, MadeOnce
from dfsynth.jobs.planning import Planned, find_planned, is_finished, plan_or_resume
from dfsynth.jobs.remote_shards import RemoteShards
from dfsynth.jobs.shard_builder import ShardBuilder
from dfsynth.jobs.stages import StageUse
from dfsynth.jobs.store_card import finish_card, mend_card
from dfsynth.jobs.workers.driver import spread_partition, workers_for
from dfsynth.options import BuildOptions
from dfsynth.progress import Progress
from dfsynth.store import StoreLayout
from dfsynth.store.build_record import BuildRecord
from dfsynth.threads.activity import Activity, watchdog
from dfsynth.threads.pool import available_cores


def run_build(
    options: BuildOptions,
    maker: GeneratorMaker,
    progress: Progress,
    stopped: Callable[[], bool] = lambda: False,
    committed: Callable[[int], None] = lambda _: None,
    remote: RemoteShards | None = None,
) -> RunReport:
    """Builds a store, or goes on where an earlier run of the same command stopped.

    Args:
        options: What is asked for.
        maker: The checkpoint.
        progress: Who is told.
        stopped: Asked between batches: whether the run is to end soon. What it has made is kept.
        committed: Told of each shard once it is.
        remote: The store that the folder `options.out` stands for, where it does.

    Raises:
        UsageError: wrong options, no images, or a conflict with what the store holds.
        DfsynthError: a failure that ends the run; committed shards are intact.
    """
    started = time.monotonic()
    source = open_build_source(options, maker.facts.intensity)
    layout = StoreLayout(options.folder)
    job = BuildJob(options, source, MadeOnce(maker))
    if options.extend:
        extend_store(job, layout, progress)
    held = find_planned(job, layout)
    fresh = 0 if held is None else tell_new_inputs(source, layout, held, progress)
    if held is not None and options.retry_failed is None:
        work = Work(layout, held, options.partition, True, started)
        if is_finished(layout, held, options.partition):
            progress.start(0)
            mend_card(layout, progress)
            return report_run(work, Tally(0, 0), fresh)
    with (
        workers_for(job, options.out if remote is None else remote.place) as (workers, planning),
        _planned(planning, layout, progress, remote) as planned,
    ):
        if workers is None:
            activity = Activity()
            with watchdog(activity, progress.message):
                tally, use = build_partition(job, planned, progress, activity, stopped, committed)
            stalls: Mapping[str, float] = activity.longest
        else:
            tally, stalls = spread_partition(workers, job, planned, progress, stopped, remote)
            use = None
        finish_card(layout, planned.lock)
        work = Work(layout, planned.record, options.partition, planned.resumed, started)
        return report_run(work, tally, fresh, stalls, use)


@contextmanager
def _planned(
    job: BuildJob, layout: StoreLayout, progress: Progress, remote: RemoteShards | None
) -> Iterator[Planned[BuildRecord]]:
    """See `plan_or_resume`; a plan that is made here of a remote store is put there first."""
    if remote is not None:
        remote.plan(job, progress)
    with plan_or_resume(job, layout, progress) as planned:
        yield planned


def build_partition(
    job: BuildJob,
    planned: Planned[BuildRecord],
    progress: Progress,
    activity: Activity,
    stopped: Callable[[], bool],
    committed: Callable[[int], None],
) -> tuple[Tally, StageUse | None]:
    """Every uncommitted shard of this process's partition, and what the time went into."""
    record, layout = planned.record, planned.layout
    builder = ShardBuilder(
        job, layout, record, progress, activity, available_cores(), stopped, committed
    )
    shards = partition_shards(record, job.options.partition)
    claims = Claims(layout, planned.lock, record, shards, builder.work.again)
    progress.start(builder.work.count(claims.pending))
    if not claims.pending:
        return Tally(0, 0), None
    tally = builder.build(claims, claims.committed)
    return tally, builder.use
