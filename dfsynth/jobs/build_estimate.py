"""What a build would do, how large and how long: measured on a few images, nothing written."""

from collections.abc import Mapping
from dataclasses import dataclass

from dfsynth.decode import limits_of
from dfsynth.jobs.build_planning import BuildJob
from dfsynth.jobs.generator import GeneratorMaker
from dfsynth.jobs.image_rows import Prepared
from dfsynth.jobs.image_shards import ShardJob, export_rows
from dfsynth.jobs.model_inputs import InputStage
from dfsynth.jobs.planning import refuse_conflict
from dfsynth.options import BuildOptions
from dfsynth.source import open_source
from dfsynth.store import StoreLayout, format_of
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.plan import source_item
from dfsynth.threads.pool import available_cores, thread_pool

_TRIALS = 3


@dataclass(frozen=True, slots=True)
class BuildEstimate:
    """A plan that was not carried out."""

    rows: int
    shards: int
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
    source = open_source(options.source, options.root, options.views != "all")
    job = BuildJob(options, source, maker)
    layout = StoreLayout(options.out)
    refuse_conflict(job, layout)
    draft = job.draft()
    held = draft.record.fingerprint
    limits = limits_of(options.max_pixels, options.max_bytes)
    stage = InputStage.of(source, held.size, maker.facts.intensity, limits)
    chosen = draft.plan.slice(draft.plan.num_rows // 2, _TRIALS).to_pylist()
    items = [source_item(line) for line in chosen]
    ready = [p for p in (stage(item) for item in items) if isinstance(p, Prepared)]
    size, seconds = _measure(draft.record, layout, maker, ready) if ready else (None, None)
    total = draft.record.rows
    return BuildEstimate(
        rows=total,
        shards=draft.record.shards,
        excluded=draft.record.excluded,
        warnings=draft.warnings,
        size=held.size,
        precision=held.precision,
        trials=len(ready),
        bytes_estimate=None if size is None else round(size * total),
        seconds_estimate=None if seconds is None else seconds * total,
        images_per_s=None if seconds is None else 1 / seconds,
    )


def _measure(
    record: BuildRecord, layout: StoreLayout, maker: GeneratorMaker, ready: list[Prepared]
) -> tuple[float | None, float | None]:
    """Bytes and seconds an image, through the same code as a build; null where all rows fail."""
    held = record.fingerprint
    generator = maker.make(held.precision, held.size)
    batch = (ready * generator.batch_size)[: generator.batch_size]
    with thread_pool("export", available_cores()) as exporting:
        job = ShardJob(format_of(layout), record.arrays, held.source, generator, exporting)
        list(export_rows(job, batch))  # the first pass compiles and allocates
        tried = list(export_rows(job, batch))
    sizes = [sum(map(len, t.encoded.chunks)) for t in tried if t.encoded is not None]
    times = [t.row.seconds for t in tried if t.row.seconds is not None]
    if not sizes or not times:
        return None, None
    return sum(sizes) / len(sizes), sum(times) / len(times)
