"""The main job: source → decode → preprocess → generate → score → write → manifest."""

import os
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from dfsynth.config import BuildOptions
from dfsynth.decode import DecodeLimits
from dfsynth.errors import ErrorCode, ImageError, UsageError
from dfsynth.manifest import read_manifest, read_part
from dfsynth.pipeline.claims import Claims
from dfsynth.pipeline.generator import Generator, GeneratorMaker
from dfsynth.pipeline.plan import Plan
from dfsynth.pipeline.planning import Planned, array_specs, plan_or_resume
from dfsynth.pipeline.prefetch import Prefetch
from dfsynth.pipeline.prepare import Outcome, Preparation
from dfsynth.pipeline.progress import Progress
from dfsynth.pipeline.record import Fingerprint
from dfsynth.pipeline.shard import ShardJob, Tally, run_shard
from dfsynth.records import SourceItem
from dfsynth.source import Source, open_source
from dfsynth.store import StoreLayout

_AHEAD_PER_WORKER = 4
_AHEAD_BYTES = 512 * 1024**2
"""Most memory for model inputs that wait for the generator."""
_TRIED_INPUTS = 8


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What one process did."""

    store: str
    rows: int
    shards: int
    shards_done: int
    """Committed when this process ended, by whomever."""
    ok: int
    """Images that this process wrote."""
    failed: int
    """Inputs that this process found bad."""
    elsewhere: int
    """Shards of this process's share that another process was working on."""
    seconds: float
    resumed: bool
    excluded: Mapping[str, int] = field(default_factory=dict)


def build(options: BuildOptions, maker: GeneratorMaker, progress: Progress) -> BuildReport:
    """Builds a store, or goes on where an earlier run of the same command stopped.

    Raises:
        UsageError: wrong options, no images, or a conflict with what the store holds.
        DfsynthError: a failure that ends the run; committed shards are intact.
    """
    started = time.monotonic()
    source = open_source(options.source, options.root)
    layout = StoreLayout(options.out)
    with plan_or_resume(options, layout, source, maker, progress) as planned:
        tally, claims = run_share(options, planned, source, maker, progress)
        return BuildReport(
            store=str(options.out),
            rows=planned.record.rows,
            shards=planned.record.shards,
            shards_done=len(layout.committed_shards()),
            ok=tally.ok,
            failed=tally.failed,
            elsewhere=len(claims.elsewhere),
            seconds=time.monotonic() - started,
            resumed=planned.resumed,
            excluded=planned.record.excluded,
        )


def run_share(
    options: BuildOptions,
    planned: Planned,
    source: Source,
    maker: GeneratorMaker,
    progress: Progress,
) -> tuple[Tally, Claims]:
    """Every uncommitted shard of this process's share, from source to manifest."""
    record, layout = planned.record, planned.layout
    held = record.fingerprint
    claims = Claims(layout, planned.lock, record, options.share)
    plan = Plan(layout.plan, held.shard_size)
    progress.start(sum(plan.rows_of(shard) for shard in claims.pending))
    ok = failed = 0
    if not claims.pending:
        return Tally(ok, failed), claims
    check_inputs(source, plan, layout, claims.committed)
    generator = maker.make(held.precision, held.size)
    progress.message(describe_run(generator, held, maker.facts.grid))
    preparation = Preparation(source, limits_of(options), held.size, maker.facts.intensity)
    workers = options.workers or available_cores()
    exporters = available_cores()
    with _threads("decode", workers) as decoding, _threads("export", exporters) as exporting:
        job = ShardJob(layout, array_specs(record), held.source, generator, exporting, progress)
        items = (item for shard in claims for item in plan.items(shard))
        room = _AHEAD_BYTES // (4 * held.size[0] * held.size[1])
        ahead = max(min(workers * _AHEAD_PER_WORKER, room), generator.batch_size * 2)
        outcomes = Prefetch[SourceItem, Outcome](decoding, preparation, items, ahead)
        for shard, rows in groupby(outcomes, key=lambda pair: pair[0].shard):
            tally = run_shard(job, shard, rows)
            claims.release(shard)
            ok, failed = ok + tally.ok, failed + tally.failed
    return Tally(ok, failed), claims


def count_failed(root: Path, share: tuple[int, int]) -> int:
    """Failed rows in the committed shards of one process's share, whichever run wrote them.

    Raises:
        StoreError: the manifest is damaged.
    """
    table = read_manifest(StoreLayout(root).manifest).select(["shard", "status"])
    index, count = share
    return sum(
        line["status"] == "failed" and line["shard"] % count == index for line in table.to_pylist()
    )


def check_inputs(
    source: Source, plan: Plan, layout: StoreLayout, committed: Collection[int]
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


def limits_of(options: BuildOptions) -> DecodeLimits:
    """The decoder's limits, raised or lowered where asked."""
    default = DecodeLimits()
    return DecodeLimits(
        options.max_pixels or default.max_pixels, options.max_bytes or default.max_bytes
    )


def available_cores() -> int:
    """Cores that this process may use, which in a job queue are fewer than the machine has."""
    return len(os.sched_getaffinity(0))


def describe_run(generator: Generator, held: Fingerprint, trained: tuple[int, int]) -> str:
    """One line on what a run computes on and how, so that a missing GPU is seen at once."""
    grid = "x".join(map(str, held.size))
    line = (
        f"{generator.description}, grid {grid}, {held.mc_samples} samples an image, "
        f"batches of {generator.batch_size}"
    )
    if held.size != trained:
        line += f" (the checkpoint was trained at {'x'.join(map(str, trained))})"
    return line


@contextmanager
def _threads(name: str, count: int) -> Iterator[ThreadPoolExecutor]:
    """A pool that, left by an exception, drops what has not started."""
    pool = ThreadPoolExecutor(count, thread_name_prefix=name)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
