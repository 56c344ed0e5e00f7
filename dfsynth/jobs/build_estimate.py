"""What a build would do, how large and how long: measured on a few images, nothing written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from dfsynth.decode import limits_of
from dfsynth.jobs.build_planning import BuildJob
from dfsynth.jobs.build_source import open_build_source
from dfsynth.jobs.extension import tell_new_inputs
from dfsynth.jobs.generator import GeneratorMaker, MadeOnce
from dfsynth.jobs.image_rows import Prepared
from dfsynth.jobs.image_shards import ShardJob, export_rows
from dfsynth.jobs.model_inputs import InputStage, reader_of
from dfsynth.jobs.planning import find_planned
from dfsynth.jobs.work_list import WorkList
from dfsynth.options import BuildOptions
from dfsynth.progress import Told
from dfsynth.records import SourceItem
from dfsynth.store import StoreLayout, format_of
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.plan import source_item
from dfsynth.threads.pool import available_cores, thread_pool

_TRIALS = 3


@dataclass(frozen=True, slots=True)
class BuildEstimate:
    """What a build would do, not carried out."""

    rows: int
    """Images that would be written: all of a new store, those that one that is there lacks."""
    shards: int
    """Shards that they lie in."""
    planned: bool
    """Whether the store is there, so that the build would go on with it."""
    shard_size: int
    new_inputs: int
    """Inputs that the source has now and the plan has not; `--extend` takes them."""
    excluded: Mapping[str, int]
    warnings: tuple[str, ...]
    size: tuple[int, int]
    precision: str
    trials: int
    """Images that the estimates below rest on; null estimates where none could be read."""
    bytes_estimate: int | None
    seconds_estimate: float | None
    images_per_s: float | None


def estimate_build(options: BuildOptions, maker: GeneratorMaker) -> BuildEstimate:
    """Plans, runs a few images from the middle of the plan, and scales up.

    The time is the generator's alone: reading and writing go on beside it.

    Raises:
        UsageError: as a build would, a conflict with what lies at `--out` included.
    """
    source = open_build_source(options, maker.facts.intensity)
    job = BuildJob(options, source, MadeOnce(maker))
    layout = StoreLayout(options.folder)
    work = _remaining(job, layout) or _planned_anew(job)
    held = work.record.fingerprint
    limits = limits_of(options.max_pixels, options.max_bytes)
    stage = InputStage(source, reader_of(source, held.size, maker.facts.intensity, limits))
    ready = [p for p in (stage(item) for item in work.items) if isinstance(p, Prepared)]
    size, seconds = _measure(work.record, layout, job.maker, ready) if ready else (None, None)
    total = work.rows
    return BuildEstimate(
        rows=total,
        shards=work.shards,
        planned=work.planned,
        shard_size=held.shard_size,
        new_inputs=work.new_inputs,
        excluded=work.record.excluded,
        warnings=work.warnings,
        size=held.size,
        precision=held.precision,
        trials=len(ready),
        bytes_estimate=None if size is None else round(size * total),
        seconds_estimate=None if seconds is None else seconds * total,
        images_per_s=None if seconds is None else 1 / seconds,
    )


@dataclass(frozen=True, slots=True)
class _Work:
    """What there is to do, and some of it to try."""

    record: BuildRecord
    items: list[SourceItem]
    rows: int
    shards: int
    planned: bool
    new_inputs: int
    warnings: tuple[str, ...]


def _planned_anew(job: BuildJob) -> _Work:
    draft = job.draft()
    record = draft.record
    items = _from_the_middle(draft.plan, record.rows)
    return _Work(record, items, record.rows, record.shards, False, 0, draft.warnings)


def _from_the_middle(plan: Iterable[pa.RecordBatch], rows: int) -> list[SourceItem]:
    before = rows // 2
    for batch in plan:
        if batch.num_rows > before:
            return [source_item(line) for line in batch.slice(before, _TRIALS).to_pylist()]
        before -= batch.num_rows
    return []


def _remaining(job: BuildJob, layout: StoreLayout) -> _Work | None:
    """What the store at `--out` lacks, in the options' partition; None where there is none."""
    record = find_planned(job, layout)
    if record is None:
        return None
    told = Told()
    fresh = tell_new_inputs(job.source, layout, record, told)
    work = WorkList(layout, record, job.options.retry_failed)
    index, count = job.options.partition
    committed = layout.committed_shards() - work.again - layout.replaced_shards()
    pending = [s for s in range(index, record.shards, count) if s not in committed]
    items = work.items(pending[len(pending) // 2])[:_TRIALS] if pending else []
    rows = work.count(pending)
    return _Work(record, items, rows, len(pending), True, fresh, tuple(told.messages))


def _measure(
    record: BuildRecord, layout: StoreLayout, maker: GeneratorMaker, ready: list[Prepared]
) -> tuple[float | None, float | None]:
    """Bytes and seconds an image, through the same code as a build; null where all rows fail."""
    held = record.fingerprint
    generator = maker.make(held.precision, held.size)
    batch = (ready * generator.batch_size)[: generator.batch_size]
    with (
        thread_pool("generate", 1) as generating,
        thread_pool("export", available_cores()) as exporting,
    ):
        job = ShardJob(
            format=format_of(layout),
            specs=record.arrays,
            source=held.source,
            task=record.task,
            generator=generator,
            generating=generating,
            exporters=exporting,
        )
        list(export_rows(job, batch))  # the first pass compiles and allocates
        tried = list(export_rows(job, batch))
    sizes = [sum(map(len, t.encoded.chunks)) for t in tried if t.encoded is not None]
    times = [t.row.seconds for t in tried if t.row.seconds is not None]
    if not sizes or not times:
        return None, None
    return sum(sizes) / len(sizes), sum(times) / (len(times) * generator.at_once)
