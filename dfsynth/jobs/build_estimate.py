"""What a build would do, how large and how long: measured on a few images, nothing written."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from dfsynth.jobs.build import reader_of
from dfsynth.jobs.build_planning import BuildJob
from dfsynth.jobs.generator import GeneratorMaker
from dfsynth.jobs.image_rows import Prepared
from dfsynth.jobs.image_shards import maps_to_store
from dfsynth.jobs.model_inputs import InputStage
from dfsynth.jobs.planning import refuse_conflict
from dfsynth.options import BuildOptions
from dfsynth.source import open_source
from dfsynth.store import StoreLayout, format_of
from dfsynth.store.plan import source_item

_TRIALS = 3


@dataclass(frozen=True, slots=True)
class Estimate:
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


def estimate_build(options: BuildOptions, maker: GeneratorMaker) -> Estimate:
    """Plans, runs a few images from the middle of the plan, and scales up.

    The time is the generator's alone: reading and writing go on beside it.

    Raises:
        UsageError: as a build would, a conflict with what lies at `--out` included.
    """
    source = open_source(options.source, options.root)
    job = BuildJob(options, source, maker)
    layout = StoreLayout(options.out)
    refuse_conflict(job, layout)
    draft = job.draft()
    held = draft.record.fingerprint
    stage = InputStage(source, reader_of(options, held.size, maker.facts.intensity))
    chosen = draft.plan.slice(draft.plan.num_rows // 2, _TRIALS).to_pylist()
    items = [source_item(line) for line in chosen]
    ready = [p for p in (stage(item) for item in items) if isinstance(p, Prepared)]
    size = seconds = None
    if ready:
        generator = maker.make(held.precision, held.size)
        batch = (ready * generator.batch_size)[: generator.batch_size]
        inputs, ids = [p.ready for p in batch], [p.item.image_id for p in batch]
        generator.generate(inputs, ids)  # the first call compiles and allocates
        started = time.perf_counter()
        generated = generator.generate(inputs, ids)
        seconds = (time.perf_counter() - started) / len(batch)
        specs = draft.record.arrays
        rows = [
            format_of(layout).encode_row(specs, maps_to_store(specs, maps, p))
            for maps, p in zip(generated, batch, strict=True)
        ]
        size = sum(len(chunk) for row in rows for chunk in row.chunks) / len(rows)
    total = draft.record.rows
    return Estimate(
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
