"""Gives shards to workers, follows what becomes of them, and gives those of dead workers to others.

What is committed is in the store, and nowhere else: a shard is done when its part is there,
whatever was or was not said about it. Who writes a shard is settled by its lock, where the file
system has locks; where it has none, by this, which gives a shard to one worker at a time.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from dfsynth.errors import DfsynthError
from dfsynth.jobs.commit import Tally
from dfsynth.jobs.workers.messages import Died, Done, Failed, Idle, Message, Note, Ready, Rows
from dfsynth.progress import Progress

_WAIT_S: Final = 1.0
_MOST_GIVEN: Final = 8
"""Shards given at once."""
_MOST_DEATHS: Final = 3
"""Of workers at one shard, or before they have any: then it is no accident."""


class Workers(Protocol):
    """Processes that build shards, by their numbers from 0."""

    @property
    def names(self) -> Sequence[str]:
        """What each is called in messages."""

    def start(self, worker: int) -> None:
        """Starts one, anew where it has died.

        Raises:
            DfsynthError: the machine, or the cluster, refuses.
        """

    def give(self, worker: int, shards: Sequence[int]) -> None:
        """Gives shards to one that is ready, behind those that it has."""

    def heard(self, timeout_s: float) -> Iterable[tuple[int, Message]]:
        """What they said since, in each one's order; waits for the first word, but not forever.

        Raises:
            DfsynthError: a worker is of another version, or the cluster is gone.
        """

    def stop(self) -> None:
        """Asks all to end after the batch in hand."""

    def close(self, at_once: bool) -> None:
        """Ends all: at once, or after the batch in hand, which is then kept."""


@contextmanager
def started(workers: Workers) -> Iterator[Workers]:
    """While the body runs; an error in it lets the workers keep what they have made."""
    try:
        yield workers
    except DfsynthError:
        workers.close(at_once=False)
        raise
    except BaseException:
        workers.close(at_once=True)
        raise
    workers.close(at_once=False)


@dataclass(slots=True)
class _Hand:
    """What one worker has."""

    shards: list[int] = field(default_factory=list)
    """Given, and not given back."""
    is_open: bool = False
    """Whether it has said that it is ready."""
    ok: int = 0
    failed: int = 0
    """Rows told since it last gave a shard back."""
    deaths: int = 0
    """In a row, before it was ready."""


class Dispatch:
    """One run over the shards of a store."""

    def __init__(
        self,
        workers: Workers,
        shards: Iterable[int],
        progress: Progress,
        stopped: Callable[[], bool],
        committed: Callable[[Sequence[int]], Iterable[Tally]],
    ) -> None:
        """Gives nothing yet.

        Args:
            workers: Who does the work; none of them is started.
            shards: What there is to do, in this order.
            progress: Who is told.
            stopped: Asked all the time: whether the run is to end soon.
            committed: How the rows ended of those that are committed of some shards.
        """
        self._workers = workers
        self._waiting = deque(shards)
        self._progress = progress
        self._stopped = stopped
        self._committed = committed
        self._hands = [_Hand() for _ in workers.names]
        self._held: set[int] = set()
        self._lost: set[int] = set()
        self._deaths: Counter[int] = Counter()
        self._said: set[str] = set()
        self._asked = False
        self._ok = self._failed = 0
        self.stalls: dict[str, float] = {}
        """Stages that stood still for long: for how many seconds at most, of all workers."""

    def run(self) -> Tally:
        """Until all shards are done, or in the hands of others.

        Raises:
            DfsynthError: a worker met an error of the machine, or several died of the same shard.
        """
        for worker in range(min(len(self._hands), len(self._waiting))):
            self._workers.start(worker)
        while self._busy():
            if not self._asked and self._stopped():
                self._asked = True
                self._waiting.clear()
                self._workers.stop()
            for worker, message in self._workers.heard(_WAIT_S):
                self._take(worker, message)
        for tally in self._committed(sorted(self._lost)):
            self._count(tally.ok, tally.failed)
        return Tally(self._ok, self._failed)

    def _busy(self) -> bool:
        return bool(self._waiting) or any(hand.shards for hand in self._hands)

    def _take(self, worker: int, message: Message) -> None:
        hand = self._hands[worker]
        match message:
            case Ready():
                hand.is_open, hand.deaths = True, 0
                self._give()
            case Rows(ok, failed):
                hand.ok, hand.failed = hand.ok + ok, hand.failed + failed
                self._progress.advance(ok, failed)
            case Done(shard):
                hand.shards.remove(shard)
                self._lost.discard(shard)
                self._ok, self._failed = self._ok + hand.ok, self._failed + hand.failed
                hand.ok = hand.failed = 0
                self._give()
            case Idle(left, stalls):
                for stage, seconds in stalls.items():
                    self.stalls[stage] = max(seconds, self.stalls.get(stage, 0.0))
                self._take_back(hand, left)
                self._give()
            case Note(text):
                self._note(worker, text)
            case Failed():
                raise message.to_error(self._workers.names[worker])
            case Died(reason):
                self._bury(worker, reason)

    def _give(self) -> None:
        """To all that have nothing, and, but for the end, to those that are at their last one.

        So reading for the next shard begins before the one in hand ends, and all end together.
        """
        for worker, hand in enumerate(self._hands):
            waiting, workers = len(self._waiting), len(self._hands)
            if hand.is_open and waiting and len(hand.shards) < (2 if waiting > workers else 1):
                count = max(min(waiting // (2 * workers), _MOST_GIVEN), 1)
                shards = [self._waiting.popleft() for _ in range(count)]
                hand.shards += shards
                self._workers.give(worker, shards)

    def _take_back(self, hand: _Hand, left: Sequence[int]) -> None:
        """Shards that the worker found locked, or done: they are asked for once more at the end."""
        fresh = [shard for shard in left if shard not in self._held]
        hand.shards = [shard for shard in hand.shards if shard not in left]
        if not self._asked:
            self._held.update(fresh)
            self._waiting.extend(fresh)

    def _bury(self, worker: int, reason: str) -> None:
        """Puts the shards of a dead worker before all others, and starts it anew."""
        name, hand = self._workers.names[worker], self._hands[worker]
        self._progress.advance(-hand.ok, -hand.failed)
        lost, deaths = hand.shards, hand.deaths + (not hand.is_open)
        self._hands[worker] = _Hand(deaths=deaths)
        self._lost.update(lost)
        at = "before it had any shard"
        if lost:
            self._deaths[lost[0]] += 1
            deaths, at = self._deaths[lost[0]], f"at shard {lost[0]}"
        if deaths >= _MOST_DEATHS:
            raise DfsynthError(
                f"{name} died {at}, as {deaths - 1} before it did: {reason}; if memory ran out, "
                "use fewer workers or a smaller --batch-size; committed shards are kept"
            )
        if not self._asked:
            self._waiting.extendleft(reversed(lost))
        again = bool(self._waiting)
        self._progress.message(
            f"{name} died {at} ({reason})" + ("; it is started anew" if again else "")
        )
        if again:
            self._workers.start(worker)
        self._give()

    def _note(self, worker: int, text: str) -> None:
        """Once, however many workers say it."""
        if text not in self._said:
            self._said.add(text)
            self._progress.message(f"{self._workers.names[worker]}: {text}")

    def _count(self, ok: int, failed: int) -> None:
        self._ok, self._failed = self._ok + ok, self._failed + failed
        self._progress.advance(ok, failed)
