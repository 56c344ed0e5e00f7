"""A worker: builds the shards that it is given, one call after the other; it knows no transport."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Final

from dfsynth.errors import ConflictError, DfsynthError
from dfsynth.files.locks import RunLock
from dfsynth.jobs.build_planning import BuildJob
from dfsynth.jobs.build_source import open_build_source
from dfsynth.jobs.checkpoint_generator import CheckpointMaker
from dfsynth.jobs.claims import Claims, ShardQueue
from dfsynth.jobs.generator import MadeOnce
from dfsynth.jobs.planning import find_planned
from dfsynth.jobs.remote_shards import RemoteShards, working_folder
from dfsynth.jobs.shard_builder import ShardBuilder
from dfsynth.jobs.shard_size import measure_rate
from dfsynth.jobs.workers.messages import Done, Failed, Idle, Message, Note, Ready, Rows
from dfsynth.options import BuildOptions
from dfsynth.store import StoreLayout
from dfsynth.threads.activity import Activity, watchdog

_END: Final = None


class ShardWorker:
    """One worker of a build, in a process of its own.

    Source, checkpoint and store are opened here, by the paths of the options; whoever gives the
    shards sends nothing but their numbers.
    """

    def __init__(self, options: BuildOptions, cores: int, tell: Callable[[Message], None]) -> None:
        """Opens nothing yet.

        Args:
            options: Of the build; its device is this worker's own.
            cores: That this worker may use.
            tell: Takes what the worker says; called from any thread.
        """
        self._options = options
        self._cores = cores
        self._tell = tell
        self._stop = threading.Event()
        self._given: SimpleQueue[Sequence[int] | None] = SimpleQueue()
        self._opened_maker: MadeOnce | None = None

    def give(self, shards: Sequence[int]) -> None:
        """Puts shards behind those that it has; from any thread."""
        self._given.put(tuple(shards))

    def stop(self) -> None:
        """Asks it to end after the batch in hand; what is made is kept. From any thread."""
        self._stop.set()

    def end(self) -> None:
        """Lets `serve` return once everything that was given is done. From any thread."""
        self._given.put(_END)

    def resolve_precision(self, wanted: str) -> str:
        """`auto` → what this worker's device does best.

        Raises:
            UsageError, CheckpointError: no such checkpoint, device or precision.
        """
        return self._maker().resolve_precision(wanted)

    def images_per_s(self, precision: str, grid: tuple[int, int]) -> float:
        """The rate of this worker's generator on a grid (height, width).

        Raises:
            DfsynthError: the device cannot do it.
        """
        return measure_rate(self._maker().make(precision, grid), grid)

    def serve(self) -> None:
        """Opens source, checkpoint and store, then builds what is given until `end`.

        An error that a message explains is told, and ends it.
        """
        try:
            self._serve()
        except DfsynthError as error:
            self._tell(Failed(type(error).__name__, str(error)))

    def _serve(self) -> None:
        with working_folder(self._options.out) as (folder, remote):
            self._serve_in(replace(self._options, out=folder), remote)

    def _serve_in(self, options: BuildOptions, remote: RemoteShards | None) -> None:
        layout, maker = StoreLayout(options.folder), self._maker()
        job = BuildJob(options, open_build_source(options, maker.facts.intensity), maker)
        record = find_planned(job, layout)
        if record is None:
            raise ConflictError(
                f"found no store at {layout.root}, which the driver has planned: expected a file "
                "system that all machines share, mounted at the same place"
            )
        progress = ToldRows(self._tell)
        activity = Activity()
        put = _keep if remote is None else remote.publish
        builder = ShardBuilder(
            job, layout, record, progress, activity, self._cores, self._stop.is_set, put
        )
        with RunLock(layout.lock) as lock, watchdog(activity, progress.message):
            again, before = builder.work.again, layout.committed_shards()
            self._tell(Ready())
            while (shards := self._given.get()) is not _END:
                queue = GivenShards(
                    shards,
                    self._more,
                    lambda given: Claims(layout, lock, record, given, again),
                    self._tell,
                )
                if not self._stop.is_set():
                    builder.build(queue, before)
                self._tell(Idle(queue.left, dict(activity.longest)))

    def _more(self) -> Sequence[int]:
        """What was given in the meantime; nothing where nothing was."""
        try:
            shards = self._given.get_nowait()
        except Empty:
            return ()
        if shards is _END:
            self._given.put(_END)
            return ()
        return shards

    def _maker(self) -> MadeOnce:
        if self._opened_maker is None:
            self._opened_maker = MadeOnce(CheckpointMaker(self._options))
        return self._opened_maker


def _keep(_shard: int) -> None:
    """Of a store on a disk, a committed shard lies where it belongs."""


class ToldRows:
    """Implements `dfsynth.progress.Progress` by messages."""

    def __init__(self, tell: Callable[[Message], None]) -> None:
        self._tell = tell

    def start(self, images: int) -> None:
        """See `Progress`; whoever gives the shards knows."""

    def advance(self, ok: int, failed: int) -> None:
        """See `Progress`."""
        self._tell(Rows(ok, failed))

    def message(self, text: str) -> None:
        """See `Progress`."""
        self._tell(Note(text))


class GivenShards:
    """A `ShardQueue` of what is given, portion after portion; every release is told."""

    def __init__(
        self,
        first: Sequence[int],
        more: Callable[[], Sequence[int]],
        claim: Callable[[Sequence[int]], ShardQueue],
        tell: Callable[[Message], None],
    ) -> None:
        """Claims nothing yet.

        Args:
            first: The first portion.
            more: Gives the next portion, where one is there; asked once a portion is claimed.
            claim: Makes the queue of a portion, in which each shard is locked.
            tell: Is told of each shard that is given back.
        """
        self.left = list(first)
        """Shards that were given, and that were not built and given back."""
        self._more = more
        self._claim = claim
        self._tell = tell
        self._claims = claim(first)

    def __iter__(self) -> Iterator[int]:
        """See `ShardQueue`."""
        yield from self._claims
        while shards := self._more():
            self.left += shards
            # The locks are one process's, so that any of its queues gives back what another took.
            self._claims = self._claim(shards)
            yield from self._claims

    def release(self, shard: int) -> None:
        """See `ShardQueue`."""
        self._claims.release(shard)
        self.left.remove(shard)
        self._tell(Done(shard))
