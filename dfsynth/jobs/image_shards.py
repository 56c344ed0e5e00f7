"""The rows of one shard through generate → score, encoded for the store."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

from dfsynth.errors import ImageError
from dfsynth.jobs.commit import Written
from dfsynth.jobs.generator import Generator
from dfsynth.jobs.image_rows import Failed, Prepared, failed_row, ok_row
from dfsynth.jobs.model_inputs import Outcome
from dfsynth.jobs.stages import EXPORT, GENERATE
from dfsynth.records import Float32Map, Generated, ModelInput
from dfsynth.score import score
from dfsynth.store import ArraySpec, StoreFormat
from dfsynth.tasks import Task
from dfsynth.threads.activity import Activity
from dfsynth.threads.pool import is_done, result_of

_WAITING_BYTES = 256 * 1024**2
"""Most memory for maps that wait to be scored and encoded, where the disk is slow."""
_MAPS_A_ROW = 5  # the input, three maps and the lung, all float32 until they are encoded


@dataclass(frozen=True, slots=True)
class ShardJob:
    """What is the same for every shard of a build."""

    format: StoreFormat
    specs: tuple[ArraySpec, ...]
    source: str
    """The name of the corpus or source, for the manifest."""
    task: Task
    generator: Generator
    generating: Executor
    """As many threads as batches that the generator makes at once."""
    exporters: Executor
    """Threads that score and encode while the generator goes on."""
    activity: Activity = field(default_factory=Activity)
    stopped: Callable[[], bool] = lambda: False
    """Asked between batches: whether no more are to be made."""


def export_rows(job: ShardJob, outcomes: Iterable[Outcome]) -> Iterator[Written]:
    """The rows of one shard in order: generated in batches, scored and encoded in threads.

    Raises:
        DfsynthError: the generator or the source is gone.
    """
    waiting: deque[Future[Written] | Written] = deque()
    most_waiting = _WAITING_BYTES // (4 * _MAPS_A_ROW * job.specs[0].height * job.specs[0].width)
    for made in _generated(job, windows(outcomes, job.generator.batch_size)):
        waiting.extend(_exported(job, made))
        # What is finished goes on at once; more is waited for only where too many wait.
        while waiting and (len(waiting) > most_waiting or _is_finished(waiting[0])):
            yield _result_of(job, waiting.popleft())
    while waiting:
        yield _result_of(job, waiting.popleft())


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


def _is_finished(entry: Future[Written] | Written) -> bool:
    return isinstance(entry, Written) or is_done(entry)


def _result_of(job: ShardJob, entry: Future[Written] | Written) -> Written:
    if isinstance(entry, Written):
        return entry
    with job.activity.waiting(EXPORT):
        return result_of(entry)


@dataclass(frozen=True, slots=True)
class _Made:
    """A window whose maps are made."""

    window: Sequence[Outcome]
    maps: Sequence[Generated]
    """Of those of the window that went to the generator, in order."""
    seconds: float
    """Of each of these."""


def _generated(job: ShardJob, given: Iterable[Sequence[Outcome]]) -> Iterator[_Made]:
    """The maps of each window in order; the next one is there before one of those at work ends."""
    at_work: deque[Future[_Made]] = deque()
    for window in given:
        made = result_of(at_work.popleft()) if len(at_work) == job.generator.at_once else None
        if not job.stopped():
            at_work.append(job.generating.submit(_generate, job, window))
        if made is not None:
            yield made
        if job.stopped():
            break
    while at_work:
        yield result_of(at_work.popleft())


def _generate(job: ShardJob, window: Sequence[Outcome]) -> _Made:
    ready = [outcome for outcome in window if isinstance(outcome, Prepared)]
    started = time.perf_counter()
    with job.activity.doing(GENERATE, ready[0].item.image_id if ready else ""):
        maps = generate_padded(
            job.generator, [p.ready for p in ready], [p.item.image_id for p in ready]
        )
    return _Made(window, maps, (time.perf_counter() - started) / max(len(ready), 1))


def _exported(job: ShardJob, made: _Made) -> list[Future[Written] | Written]:
    maps = iter(made.maps)
    return [
        Written(failed_row(outcome, job.source), None)
        if isinstance(outcome, Failed)
        else job.exporters.submit(_export, job, outcome, next(maps), made.seconds)
        for outcome in made.window
    ]


def generate_padded(
    generator: Generator, inputs: Sequence[ModelInput], image_ids: Sequence[str]
) -> list[Generated]:
    """The maps of some inputs, no more than a batch, in a batch of the generator's own size.

    A shape of its own could change the last bits.

    Raises:
        DfsynthError: as the generator does.
    """
    if not inputs:
        return []
    missing = generator.batch_size - len(inputs)
    maps = generator.generate(
        [*inputs, *[inputs[-1]] * missing], [*image_ids, *[image_ids[-1]] * missing]
    )
    return maps[: len(inputs)]


def _export(job: ShardJob, prepared: Prepared, generated: Generated, seconds: float) -> Written:
    try:
        with job.activity.doing(EXPORT, prepared.item.image_id):
            stored = maps_to_store(job, generated, prepared)
            encoded = job.format.encode_row(job.specs, stored)
            scored = score(generated, prepared.ready)
    except ImageError as error:
        failed = Failed(prepared.item, error.code, str(error), prepared.source_sha256)
        return Written(failed_row(failed, job.source), None)
    return Written(ok_row(prepared, scored, encoded.checksum, seconds, job.source), encoded)


def maps_to_store(job: ShardJob, generated: Generated, prepared: Prepared) -> dict[str, Float32Map]:
    """The maps that the store holds, (y, x) of the grid each, by name.

    Raises:
        KeyError: the store holds a map that the generator does not give.
    """
    available = available_maps(job.task, generated, prepared.ready)
    return {spec.name: available[spec.name] for spec in job.specs}


def available_maps(task: Task, generated: Generated, source: ModelInput) -> dict[str, Float32Map]:
    """Every map (y, x) of the grid that there is of an image, by the name that stores give it."""
    available = {
        task.output.array: generated.mean,
        "aleatoric": generated.aleatoric,
        "epistemic": generated.epistemic,
        task.input.array: task.input.restore(source.image),
    }
    if generated.lung is not None:
        available["lung"] = generated.lung
    return available
