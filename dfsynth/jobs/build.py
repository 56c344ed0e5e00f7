"""The main job: source → decode → preprocess → generate → score → write → manifest."""

import time
from collections.abc import Collection, Iterator

from dfsynth.checkpoint import checkpoints_with_scores
from dfsynth.decode import limits_of
from dfsynth.errors import ErrorCode, ImageError, UsageError
from dfsynth.jobs.build_cautions import cautions
from dfsynth.jobs.build_planning import BuildJob
from dfsynth.jobs.claims import Claims
from dfsynth.jobs.commit import ShardStore, Tally, commit_shard
from dfsynth.jobs.engine import RunReport, report_run, run_claimed
from dfsynth.jobs.generator import Generator, GeneratorMaker
from dfsynth.jobs.image_shards import ShardJob, export_rows
from dfsynth.jobs.model_inputs import InputStage, Outcome
from dfsynth.jobs.planning import Planned, plan_or_resume
from dfsynth.manifest import read_part
from dfsynth.options import BuildOptions
from dfsynth.progress import Progress
from dfsynth.records import SourceItem
from dfsynth.score import LEARNED_SCORES
from dfsynth.source import Source, open_source
from dfsynth.store import StoreLayout, format_of
from dfsynth.store.build_record import BuildRecord, Fingerprint
from dfsynth.store.plan import Plan, source_item
from dfsynth.threads.pool import available_cores, thread_pool
from dfsynth.threads.prefetch import Prefetch

_AHEAD_PER_WORKER = 4
_AHEAD_BYTES = 512 * 1024**2
"""Most memory for model inputs that wait for the generator."""
_TRIED_INPUTS = 8


def run_build(options: BuildOptions, maker: GeneratorMaker, progress: Progress) -> RunReport:
    """Builds a store, or goes on where an earlier run of the same command stopped.

    Raises:
        UsageError: wrong options, no images, or a conflict with what the store holds.
        DfsynthError: a failure that ends the run; committed shards are intact.
    """
    started = time.monotonic()
    source = open_source(options.source, options.root, options.views != "all")
    layout = StoreLayout(options.out)
    with plan_or_resume(BuildJob(options, source, maker), layout, progress) as planned:
        tally, claims = build_partition(options, planned, source, maker, progress)
        return report_run(planned, claims, tally, started)


def build_partition(
    options: BuildOptions,
    planned: Planned[BuildRecord],
    source: Source,
    maker: GeneratorMaker,
    progress: Progress,
) -> tuple[Tally, Claims]:
    """Every uncommitted shard of this process's partition, from source to manifest."""
    record, layout = planned.record, planned.layout
    held = record.fingerprint
    claims = Claims(layout, planned.lock, record, options.partition)
    plan = Plan(layout.plan, record.shard_size, source_item)
    progress.start(sum(plan.rows_of(shard) for shard in claims.pending))
    if not claims.pending:
        return Tally(0, 0), claims
    check_inputs(source, plan, layout, claims.committed)
    generator = maker.make(held.precision, held.size)
    progress.message(describe_run(generator, held, maker.facts.grid))
    for caution in cautions(held, maker.facts):
        progress.message(caution)
    if not maker.facts.has_learned_scores:
        progress.message(describe_null_scores(maker.facts.name))
    limits = limits_of(options.max_pixels, options.max_bytes)
    stage = InputStage.of(source, held.size, maker.facts.intensity, limits)
    store = ShardStore(layout, record.arrays, record.manifest_schema, progress)
    workers = options.workers or available_cores()
    exporters = available_cores()
    with thread_pool("decode", workers) as decoding, thread_pool("export", exporters) as exporting:
        job = ShardJob(format_of(layout), record.arrays, held.source, generator, exporting)
        items = (item for shard in claims for item in plan.items(shard))
        room = _AHEAD_BYTES // (4 * held.size[0] * held.size[1])
        ahead = max(min(workers * _AHEAD_PER_WORKER, room), generator.batch_size * 2)
        outcomes = Prefetch[SourceItem, Outcome](decoding, stage, items, ahead)

        def commit(shard: int, rows: Iterator[tuple[SourceItem, Outcome]]) -> Tally:
            return commit_shard(store, shard, export_rows(job, (outcome for _, outcome in rows)))

        return run_claimed(claims, outcomes, commit), claims


def check_inputs(
    source: Source, plan: Plan[SourceItem], layout: StoreLayout, committed: Collection[int]
) -> None:
    """Refuses to go on where inputs that an earlier run has read are gone.

    With another folder, or a disk that is not mounted, every row to come would fail as missing,
    and stay so: a failed row is a committed row.

    Raises:
        UsageError: several inputs that were read before are all missing.
    """
    if not committed:
        return
    shard = min(committed)
    status = read_part(layout.part(shard))["status"].to_pylist()
    items = [item for item, was in zip(plan.items(shard), status, strict=True) if was == "ok"][
        :_TRIED_INPUTS
    ]
    missing = 0
    for item in items:
        try:
            source.read(item, max_bytes=0)  # asks for its size, and reads nothing
        except ImageError as error:
            missing += error.code is ErrorCode.MISSING
    if missing == len(items) > 1:
        raise UsageError(
            f"{missing} inputs that were read before are gone, the first of them {items[0].uri}: "
            "are --source and --root those the store was planned with, and is the disk mounted?"
        )


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
