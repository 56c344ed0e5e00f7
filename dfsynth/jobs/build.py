"""The main job: source → decode → preprocess → generate → score → write → manifest."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager

from dfsynth.checkpoint import checkpoints_with_scores
from dfsynth.decode import limits_of
from dfsynth.errors import DfsynthError, ErrorCode, UsageError
from dfsynth.jobs.build_cautions import cautions
from dfsynth.jobs.build_planning import BuildJob
from dfsynth.jobs.claims import Claims
from dfsynth.jobs.commit import ShardStore, Tally, commit_shard
from dfsynth.jobs.engine import RunReport, Work, report_run, run_claimed
from dfsynth.jobs.extension import extend_store, tell_new_inputs
from dfsynth.jobs.generator import Generator, GeneratorMaker, MadeOnce
from dfsynth.jobs.image_rows import Failed
from dfsynth.jobs.image_shards import ShardJob, export_rows
from dfsynth.jobs.model_inputs import InputStage, Outcome, reader_of
from dfsynth.jobs.planning import Planned, find_planned, is_finished, plan_or_resume
from dfsynth.jobs.source_watch import SourceWatch, asks_of
from dfsynth.jobs.work_list import WorkList
from dfsynth.options import BuildOptions
from dfsynth.progress import Progress
from dfsynth.records import SourceItem
from dfsynth.score import LEARNED_SCORES
from dfsynth.source import Source, open_source
from dfsynth.store import StoreLayout, format_of
from dfsynth.store.build_record import BuildRecord, Fingerprint
from dfsynth.threads.activity import Activity, watchdog
from dfsynth.threads.deadline import deadline_pool
from dfsynth.threads.pool import available_cores, thread_pool
from dfsynth.threads.prefetch import Prefetch

_AHEAD_PER_WORKER = 4
_AHEAD_BYTES = 512 * 1024**2
"""Most memory for model inputs that wait for the generator."""
_TRIED_INPUTS = 8
_STUCK_PER_WORKER = 4
"""Inputs that may stand still at once, with --timeout, before the source itself is said to."""


def run_build(
    options: BuildOptions,
    maker: GeneratorMaker,
    progress: Progress,
    stopped: Callable[[], bool] = lambda: False,
) -> RunReport:
    """Builds a store, or goes on where an earlier run of the same command stopped.

    Args:
        options: What is asked for.
        maker: The checkpoint.
        progress: Who is told.
        stopped: Asked between batches: whether the run is to end soon. What it has made is kept.

    Raises:
        UsageError: wrong options, no images, or a conflict with what the store holds.
        DfsynthError: a failure that ends the run; committed shards are intact.
    """
    started = time.monotonic()
    source = open_source(options.source, options.root, options.views != "all")
    layout = StoreLayout(options.out)
    job = BuildJob(options, source, MadeOnce(maker))
    if options.extend:
        extend_store(job, layout, progress)
    held = find_planned(job, layout)
    fresh = 0 if held is None else tell_new_inputs(source, layout, held, progress)
    if held is not None and options.retry_failed is None:
        work = Work(layout, held, options.partition, True, started)
        if is_finished(layout, held, options.partition):
            progress.start(0)
            return report_run(work, Tally(0, 0), fresh)
    with plan_or_resume(job, layout, progress) as planned:
        activity = Activity()
        with watchdog(activity, progress.message):
            tally = build_partition(job, planned, progress, activity, stopped)
        work = Work(layout, planned.record, options.partition, planned.resumed, started)
        return report_run(work, tally, fresh, activity.longest)


def build_partition(
    job: BuildJob,
    planned: Planned[BuildRecord],
    progress: Progress,
    activity: Activity,
    stopped: Callable[[], bool],
) -> Tally:
    """Every uncommitted shard of this process's partition, from source to manifest."""
    options, record, layout = job.options, planned.record, planned.layout
    held, facts = record.fingerprint, job.maker.facts
    work = WorkList(layout, record, options.retry_failed)
    claims = Claims(layout, planned.lock, record, options.partition, work.again)
    progress.start(work.count(claims.pending))
    if not claims.pending:
        return Tally(0, 0)
    watch = SourceWatch(asks_of(job.source.read))
    watch.read_before(check_inputs(job.source, work, claims.committed))
    generator = job.maker.make(held.precision, held.size)
    progress.message(describe_run(generator, held, facts.grid))
    for caution in cautions(held, facts):
        progress.message(caution)
    if not facts.has_learned_scores:
        progress.message(describe_null_scores(facts.name))
    limits = limits_of(options.max_pixels, options.max_bytes)
    reader = reader_of(job.source, held.size, facts.intensity, limits)
    stage = InputStage(job.source, reader, activity)
    store = ShardStore(
        layout, record.arrays, record.cut, record.manifest_schema, progress, activity
    )
    workers = options.workers or available_cores()
    exporters = available_cores()
    with input_pool(workers, options) as decoding, thread_pool("export", exporters) as exporting:
        shards = ShardJob(
            format_of(layout), record.arrays, held.source, generator, exporting, activity
        )
        items = work.claimed_items(claims)
        room = _AHEAD_BYTES // (4 * held.size[0] * held.size[1])
        ahead = max(min(workers * _AHEAD_PER_WORKER, room), generator.batch_size * 2)
        outcomes = Prefetch[SourceItem, Outcome](decoding, stage, items, ahead)

        def commit(shard: int, rows: Iterator[tuple[SourceItem, Outcome]]) -> Tally:
            going = _until(stopped, (outcome for _, outcome in rows))
            made = export_rows(shards, watch.over(going))
            return commit_shard(store, shard, work.whole(shard, made), stopped)

        return run_claimed(claims, outcomes, commit, stopped)


def _until(stopped: Callable[[], bool], outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """The outcomes, and none that would have to be waited for once the run is to end."""
    while not stopped():
        try:
            yield next(outcomes)
        except StopIteration:
            return


def input_pool(workers: int, options: BuildOptions) -> AbstractContextManager[Executor]:
    """The threads that read and decode; with `--timeout`, those that give up on an input.

    So many may stand still at once that a few slow files hold nothing up; more than that is the
    source itself.
    """
    if options.timeout_s is None:
        return thread_pool("decode", workers)
    limit, most = options.timeout_s, _STUCK_PER_WORKER * workers

    def late(arguments: tuple[SourceItem], stuck: int) -> Outcome:
        if stuck > most:
            raise DfsynthError(
                f"the source does not answer: {stuck} inputs stand still for more than {limit:g} s "
                "each; check the disk or the network that holds it, and run the same command again"
            )
        return Failed(
            arguments[0],
            ErrorCode.TIMEOUT,
            f"the image was not read and decoded within {limit:g} s",
        )

    return deadline_pool("decode", workers, limit, late)


def check_inputs(
    source: Source, work: WorkList, committed: Collection[int]
) -> Sequence[SourceItem]:
    """Some inputs that an earlier run has read; refuses to go on where all of them are gone.

    With another folder, or a disk that is not mounted, every row to come would fail as missing,
    and stay so: a failed row is a committed row.

    Raises:
        UsageError: several inputs that were read before are all missing.
    """
    if not committed:
        return ()
    items = work.known(min(committed))[:_TRIED_INPUTS]
    is_missing = asks_of(source.read)
    if len(items) > 1 and all(map(is_missing, items)):
        raise UsageError(
            f"{len(items)} inputs that were read before are gone, the first of them "
            f"{items[0].uri}: are --source and --root those the store was planned with, and is the "
            "disk mounted?"
        )
    return items


def describe_run(generator: Generator, held: Fingerprint, trained: tuple[int, int]) -> str:
    """One line on what a run computes on and how, so that a missing GPU is seen at once."""
    grid = "x".join(map(str, held.size))
    samples = f"{held.mc_samples} samples an image" if held.mc == "full" else "fast sampling"
    line = f"{generator.description}, grid {grid}, {samples}, batches of {generator.batch_size}"
    if held.size != trained:
        line += f" (the checkpoint was trained at {'x'.join(map(str, trained))})"
    return line


def describe_null_scores(checkpoint: str) -> str:
    """One line on what the manifest lacks where a checkpoint has no heads for trust."""
    return (
        f"the checkpoint {checkpoint} has no heads for {', '.join(LEARNED_SCORES)}, which stay "
        f"null; {checkpoints_with_scores()}"
    )
