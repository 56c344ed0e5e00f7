"""Shard after shard of a planned store, from source to manifest; what it opens stays open."""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext

from dfsynth.checkpoint import who_has_scores
from dfsynth.counted_nouns import counted
from dfsynth.decode import limits_of
from dfsynth.errors import DfsynthError, ErrorCode, UsageError
from dfsynth.files.faults import is_there
from dfsynth.jobs.build_cautions import UnitCaution, cautions
from dfsynth.jobs.build_planning import BuildJob
from dfsynth.jobs.claims import ShardQueue
from dfsynth.jobs.commit import ShardStore, Tally, commit_shard
from dfsynth.jobs.engine import run_claimed
from dfsynth.jobs.generator import Generator
from dfsynth.jobs.image_rows import Failed
from dfsynth.jobs.image_shards import ShardJob, export_rows
from dfsynth.jobs.model_inputs import InputStage, Outcome, reader_of
from dfsynth.jobs.source_watch import SourceWatch, asks_of
from dfsynth.jobs.stages import DECODE, EXPORT, GENERATE, READ, WRITE, Drawing, StageUse, use_of
from dfsynth.jobs.work_list import WorkList
from dfsynth.options import BuildOptions
from dfsynth.progress import Progress
from dfsynth.records import GeneratorFacts, SourceItem
from dfsynth.score import LEARNED_SCORES
from dfsynth.source import Source
from dfsynth.store import StoreLayout, format_of
from dfsynth.store.build_record import BuildRecord, Fingerprint
from dfsynth.threads.activity import Activity
from dfsynth.threads.deadline import deadline_pool
from dfsynth.threads.pool import thread_pool
from dfsynth.threads.prefetch import Prefetch

_AHEAD_PER_WORKER = 4
_AHEAD_BYTES = 512 * 1024**2
"""Most memory for model inputs that wait for the generator."""
_TRIED_INPUTS = 8
_STUCK_PER_WORKER = 4
"""Inputs that may stand still at once, with --timeout, before the source itself is said to."""


class ShardBuilder:
    """Builds the shards that queues hand out, as many queues as there are."""

    def __init__(
        self,
        job: BuildJob,
        layout: StoreLayout,
        record: BuildRecord,
        progress: Progress,
        activity: Activity,
        cores: int,
        stopped: Callable[[], bool],
        committed: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Opens the plan; loads no network, and reads no input.

        Args:
            job: Source, checkpoint and options.
            layout: Of the planned store.
            record: What it is made from.
            progress: Who is told of rows and of what the run computes on.
            activity: Where the stages say what they are at.
            cores: That this process may use.
            stopped: Asked between batches: whether the run is to end soon.
            committed: Told of each shard once it is.

        Raises:
            StoreError: the plan or the manifest is damaged.
        """
        self.work = WorkList(layout, record, job.options.retry_failed)
        self._job = job
        self._held = record.fingerprint
        self._task = record.task
        self._progress = progress
        self._activity = activity
        self._cores = cores
        self._stopped = stopped
        self._committed = committed
        self._watch = SourceWatch(asks_of(job.source.read))
        self._store = ShardStore(
            layout, record.arrays, record.cut, record.manifest_schema, progress, activity
        )
        self._units = UnitCaution(job.maker.facts, progress)
        self._generator: Generator | None = None
        self.use: StageUse | None = None
        """What the time of all queues so far went into; of the inputs' queue, of the last one."""

    def build(self, claims: ShardQueue, committed: Collection[int]) -> Tally:
        """Every shard of a queue, up to its manifest part.

        Args:
            claims: What hands out the shards.
            committed: Shards that are there already, by which the source is known.

        Raises:
            UsageError: the source is not the one of the store, or the device is not there.
            DfsynthError: a failure that ends the run.
        """
        if self._generator is None:
            self._watch.read_before(check_inputs(self._job.source, self.work, committed))
            self._generator = self._load()
        options, held = self._job.options, self._held
        layout, specs = self._store.layout, self._store.specs
        workers = options.workers or self._cores
        with (
            self._activity.running(),
            input_pool(workers, options) as decoding,
            thread_pool("generate", self._generator.at_once) as generating,
            export_pool(self._generator, self._cores, generating) as exporting,
        ):
            shards = ShardJob(
                format=format_of(layout),
                specs=specs,
                source=held.source,
                task=self._task,
                generator=self._generator,
                generating=generating,
                exporters=exporting,
                activity=self._activity,
                stopped=self._stopped,
            )
            room = _AHEAD_BYTES // (4 * held.size[0] * held.size[1])
            ahead = max(min(workers * _AHEAD_PER_WORKER, room), _batches_ahead(self._generator))
            items = self.work.claimed_items(claims)
            outcomes = Prefetch[SourceItem, Outcome](
                decoding, self._stage(), items, ahead, self._activity
            )

            def commit(shard: int, rows: Iterator[tuple[SourceItem, Outcome]]) -> Tally:
                found = self._units.over(outcome for _, outcome in rows)
                going = _until(self._stopped, found)
                made = export_rows(shards, self._watch.over(going))
                whole = self.work.whole(shard, made)
                tally = commit_shard(self._store, shard, whole, self._stopped)
                if is_there(layout.part(shard)):
                    with self._activity.doing(WRITE, f"shard {shard}"):
                        self._committed(shard)
                return tally

            tally = run_claimed(claims, outcomes, commit, self._stopped)
        threads = {READ: workers, DECODE: workers, EXPORT: self._cores}
        threads[GENERATE] = self._generator.at_once
        drawing = drawing_of(held, self._job.maker.facts)
        self.use = use_of(self._activity, threads, outcomes.mean_ready, outcomes.room, drawing)
        return tally

    def _load(self) -> Generator:
        held, facts = self._held, self._job.maker.facts
        generator = self._job.maker.make(held.precision, held.size)
        self._progress.message(describe_run(generator, held, facts))
        for caution in cautions(held, facts):
            self._progress.message(caution)
        if not facts.has_learned_scores:
            self._progress.message(describe_null_scores(facts.name, facts.task))
        return generator

    def _stage(self) -> InputStage:
        options, source = self._job.options, self._job.source
        limits = limits_of(options.max_pixels, options.max_bytes)
        reader = reader_of(source, self._held.size, self._job.maker.facts.intensity, limits)
        return InputStage(source, reader, self._activity)


def export_pool(
    generator: Generator, cores: int, generating: Executor
) -> AbstractContextManager[Executor]:
    """Threads that score and encode: those that generate, where these keep all cores busy.

    More threads than cores only take turns on them, and find the caches full of each other's
    values. A single thread may be waiting for a GPU, and is left to that.
    """
    if generator.at_once >= max(cores, 2):
        return nullcontext(generating)
    return thread_pool("export", cores)


def _batches_ahead(generator: Generator) -> int:
    """Inputs to have ready where all batches at work end at the same time, and one more."""
    return generator.batch_size * (generator.at_once + 1)


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
                f"the source does not answer: {counted(stuck, 'input stands', 'inputs stand')} "
                f"still for more than {limit:g} s each; check the disk or the network that holds "
                "it, and run the same command again"
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


def drawing_of(held: Fingerprint, facts: GeneratorFacts) -> Drawing:
    """How a generator draws the samples of a build."""
    if held.sampling is not None:
        return "noise"
    if held.mc == "fast" or not facts.has_dropout:
        return "once"
    return "members" if facts.members > 1 else "dropout"


def describe_run(generator: Generator, held: Fingerprint, facts: GeneratorFacts) -> str:
    """One line on what a run computes on and how, so that a missing GPU is seen at once."""
    grid, trained = "x".join(map(str, held.size)), facts.grid
    drawn = held.mc_samples
    if drawing_of(held, facts) == "once":
        drawn = min(drawn, facts.members)
    sampled = f"{counted(drawn, 'sample')} an image"
    samples = sampled if held.mc == "full" else "fast sampling"
    if held.sampling is not None:
        samples += f" by {held.sampling.words}"
    line = f"{generator.description}, grid {grid}, {samples}, batches of {generator.batch_size}"
    if held.size != trained:
        line += f" (the checkpoint was trained at {'x'.join(map(str, trained))})"
    return line


def describe_null_scores(checkpoint: str, task: str) -> str:
    """One line on what the manifest lacks where a checkpoint has no heads for trust.

    Args:
        checkpoint: Its name.
        task: What it is for, by name.
    """
    return (
        f"the checkpoint {checkpoint} has no heads for {', '.join(LEARNED_SCORES)}, which stay "
        f"null; {who_has_scores(task)}"
    )
