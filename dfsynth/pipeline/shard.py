"""One shard through generate → score → write → manifest."""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from dfsynth.errors import ImageError
from dfsynth.manifest import encode_part
from dfsynth.pipeline.describe import Failed, Prepared, failed_row, ok_row
from dfsynth.pipeline.generator import Generator
from dfsynth.pipeline.prepare import Outcome
from dfsynth.pipeline.progress import Progress
from dfsynth.records import Float32Map, Generated, ManifestRow, SourceItem
from dfsynth.score import score
from dfsynth.store import (
    ArraySpec,
    EncodedRow,
    StoreLayout,
    ZarrShardWriter,
    encode_row,
    write_durably,
)

_WAITING_BYTES = 256 * 1024**2
"""Most memory for maps that wait to be scored and encoded, where the disk is slow."""
_MAPS_A_ROW = 5  # the input, three maps and the lung, all float32 until they are encoded


@dataclass(frozen=True, slots=True)
class ShardJob:
    """What is the same for every shard of a build."""

    layout: StoreLayout
    specs: tuple[ArraySpec, ...]
    source: str
    generator: Generator
    exporters: Executor
    """Threads that score and encode while the generator goes on."""
    progress: Progress


@dataclass(frozen=True, slots=True)
class Tally:
    """How the rows of a shard ended."""

    ok: int
    failed: int


Finished = tuple[EncodedRow, ManifestRow] | Failed


def run_shard(job: ShardJob, shard: int, outcomes: Iterable[tuple[SourceItem, Outcome]]) -> Tally:
    """Writes the shard's maps, then its manifest part, which commits it.

    `outcomes` are all rows of the shard in order. Left by an exception, nothing of the shard
    remains but what the next run clears away.

    Raises:
        StoreError: the disk refuses.
        DfsynthError: the generator or the source is gone.
    """
    rows: list[ManifestRow] = []
    waiting: deque[Future[Finished] | Failed] = deque()
    most_waiting = _WAITING_BYTES // (4 * _MAPS_A_ROW * job.specs[0].height * job.specs[0].width)
    with ZarrShardWriter(job.layout, job.specs, shard) as writer:

        def drain(keep: int) -> None:
            """Writes, in order, what is finished, and waits only where more than `keep` wait."""
            while waiting and (len(waiting) > keep or _is_finished(waiting[0])):
                entry = waiting.popleft()
                finished = entry.result() if isinstance(entry, Future) else entry
                index = len(rows)
                if isinstance(finished, Failed):
                    writer.skip(index)
                    rows.append(failed_row(finished, job.source))
                else:
                    encoded, row = finished
                    writer.append_encoded(index, encoded)
                    rows.append(row)
                failed = rows[-1].status == "failed"
                job.progress.advance(ok=not failed, failed=failed)

        for window in windows((outcome for _, outcome in outcomes), job.generator.batch_size):
            waiting.extend(_generate(job, window))
            drain(most_waiting)
        drain(0)
        writer.commit()
    part = job.layout.part(shard)
    write_durably(part, encode_part(rows), job.layout.scratch, job.layout.owner(shard))
    failed = sum(row.status == "failed" for row in rows)
    return Tally(len(rows) - failed, failed)


def windows(outcomes: Iterable[Outcome], batch_size: int) -> Iterator[list[Outcome]]:
    """Runs of outcomes in order, each with at most `batch_size` that go to the generator."""
    window: list[Outcome] = []
    ready = 0
    for outcome in outcomes:
        window.append(outcome)
        ready += isinstance(outcome, Prepared)
        if ready == batch_size:
            yield window
            window, ready = [], 0
    if window:
        yield window


def _is_finished(entry: Future[Finished] | Failed) -> bool:
    return isinstance(entry, Failed) or entry.done()


def _generate(job: ShardJob, window: Sequence[Outcome]) -> list[Future[Finished] | Failed]:
    ready = [outcome for outcome in window if isinstance(outcome, Prepared)]
    started = time.perf_counter()
    generated = iter(_generate_padded(job.generator, ready))
    seconds = (time.perf_counter() - started) / max(len(ready), 1)
    return [
        outcome
        if isinstance(outcome, Failed)
        else job.exporters.submit(_export, job, outcome, next(generated), seconds)
        for outcome in window
    ]


def _generate_padded(generator: Generator, ready: Sequence[Prepared]) -> list[Generated]:
    """Always the generator's own batch size: a shape of its own could change the last bits."""
    if not ready:
        return []
    padded = [*ready, *[ready[-1]] * (generator.batch_size - len(ready))]
    maps = generator.generate([p.ready for p in padded], [p.item.image_id for p in padded])
    return maps[: len(ready)]


def _export(job: ShardJob, prepared: Prepared, generated: Generated, seconds: float) -> Finished:
    try:
        encoded = encode_row(job.specs, select_maps(job.specs, generated, prepared))
    except ImageError as error:
        return Failed(prepared.item, error.code, str(error), prepared.source_sha256)
    scored = score(generated, prepared.ready)
    row = ok_row(prepared, scored, encoded.checksum, seconds, job.source)
    return encoded, row


def select_maps(
    specs: Sequence[ArraySpec], generated: Generated, prepared: Prepared
) -> dict[str, Float32Map]:
    """The maps that the store holds, by name."""
    available = {
        "dark_field": generated.dark_field,
        "aleatoric": generated.aleatoric,
        "epistemic": generated.epistemic,
        "attenuation": prepared.ready.image,
    }
    if generated.lung is not None:
        available["lung"] = generated.lung
    return {spec.name: available[spec.name] for spec in specs}
