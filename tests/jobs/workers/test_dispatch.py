"""Whoever dies, every shard is done once, counted once, and given to one worker at a time."""

import random
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import pytest

from dfsynth.errors import DfsynthError, StoreError
from dfsynth.jobs.commit import Tally
from dfsynth.jobs.workers.dispatch import Dispatch, started
from dfsynth.jobs.workers.messages import (
    Died,
    Done,
    Failed,
    Idle,
    Message,
    Note,
    Ready,
    Rows,
    decode_message,
    encode_message,
)
from dfsynth.progress import Told

ROWS = 3


class Counted(Told):
    """Adds up what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = 0

    def advance(self, ok: int, failed: int) -> None:
        self.rows += ok + failed


class PlayedWorkers:
    """Workers that do one step whenever they are heard, in an order that is drawn.

    A shard is three rows, the first of which fails, then its part, then word of it. Wherever a step
    ends a worker may die, as often as there are deaths left.
    """

    def __init__(self, count: int, seed: int, deaths: int = 0, foreign: Sequence[int] = ()):
        self.names = [f"worker {n}" for n in range(count)]
        self.random = random.Random(seed)
        self.deaths = deaths
        self.foreign = set(foreign)
        self.committed: set[int] = set()
        self.writes: list[int] = []
        self.steps: dict[int, Iterator[Message | None]] = {}
        self.given: dict[int, deque[int]] = {}
        self.locked: dict[int, int] = {}
        self.stopping = False
        self.closed: bool | None = None

    def start(self, worker: int) -> None:
        self.given[worker] = deque()
        self.steps[worker] = self.life(worker)

    def give(self, worker: int, shards: Sequence[int]) -> None:
        assert shards
        self.given[worker].extend(shards)

    def heard(self, timeout_s: float) -> Iterable[tuple[int, Message]]:  # noqa: ARG002
        worker = self.random.choice(list(self.steps))
        if self.deaths and self.random.random() < 0.1:
            self.deaths -= 1
            del self.steps[worker]
            self.locked = {s: w for s, w in self.locked.items() if w != worker}
            yield worker, Died("killed by SIGKILL")
            return
        message = next(self.steps[worker])
        if message is not None:
            yield worker, message

    def life(self, worker: int) -> Iterator[Message | None]:
        yield Ready()
        while True:
            if not self.given[worker]:
                yield None
                continue
            left = []
            while self.given[worker]:
                shard = self.given[worker].popleft()
                if shard in self.foreign | self.committed or self.stopping:
                    left.append(shard)
                    continue
                assert shard not in self.locked, "two workers have one shard"
                self.locked[shard] = worker
                yield Rows(0, 1)
                for _ in range(ROWS - 1):
                    yield Rows(1, 0)
                self.committed.add(shard)
                self.writes.append(shard)
                yield None  # committed, and nobody knows
                del self.locked[shard]
                yield Done(shard)
            yield Idle(left, {"read": float(worker)})

    def stop(self) -> None:
        self.stopping = True

    def close(self, at_once: bool) -> None:
        self.closed = at_once

    def tallies(self, shards: Sequence[int]) -> list[Tally]:
        return [Tally(ROWS - 1, 1) for shard in shards if shard in self.committed]


def dispatch(workers: PlayedWorkers, shards: int, progress: Told | None = None, stopped=None):
    return Dispatch(
        workers,
        range(shards),
        progress or Told(),
        stopped or (lambda: False),
        workers.tallies,
    )


@pytest.mark.parametrize("seed", range(60))
def test_every_shard_is_done_once_and_every_row_counted_once(seed):
    workers = PlayedWorkers(count=1 + seed % 4, seed=seed, deaths=seed % 3)
    progress = Counted()
    run = dispatch(workers, 12, progress)
    assert run.run() == Tally(12 * (ROWS - 1), 12)
    assert sorted(workers.writes) == list(range(12))
    assert progress.rows == 12 * ROWS, "progress ends where the work ends"


def test_shards_that_others_hold_are_left_to_them():
    workers = PlayedWorkers(count=2, seed=1, foreign=(3, 4))
    assert dispatch(workers, 8).run() == Tally(6 * (ROWS - 1), 6)
    assert workers.committed == {0, 1, 2, 5, 6, 7}


def test_a_shard_that_kills_its_workers_ends_the_run():
    class Poisoned(PlayedWorkers):
        def life(self, worker: int) -> Iterator[Message | None]:
            yield Ready()
            while not self.given[worker]:
                yield None
            yield Died("killed by SIGSEGV")

    workers = Poisoned(count=2, seed=0)
    with pytest.raises(DfsynthError, match=r"worker \d died at shard 0, as 2 before it .*SIGSEGV"):
        dispatch(workers, 1).run()


def test_a_worker_that_cannot_even_start_ends_the_run():
    class Stillborn(PlayedWorkers):
        def life(self, worker: int) -> Iterator[Message | None]:  # noqa: ARG002
            yield Died("exit status 1")

    with pytest.raises(DfsynthError, match=r"before it had any shard, as 2 before it .*status 1"):
        dispatch(Stillborn(count=1, seed=0), 5).run()


def test_the_first_error_of_a_machine_ends_the_run_with_its_own_status():
    class Full(PlayedWorkers):
        def life(self, worker: int) -> Iterator[Message | None]:  # noqa: ARG002
            yield Ready()
            yield Failed("StoreError", "cannot write x: no space left on the device")

    workers = Full(count=3, seed=0)
    with pytest.raises(StoreError, match=r"worker \d: cannot write x: no space"), started(workers):
        dispatch(workers, 5).run()
    assert workers.closed is False, "what the others have made is kept"


def test_an_exception_of_the_user_ends_all_at_once():
    workers = PlayedWorkers(count=1, seed=0)
    with pytest.raises(KeyboardInterrupt), started(workers):
        raise KeyboardInterrupt
    assert workers.closed is True


def test_a_run_that_is_to_end_gives_nothing_more():
    workers = PlayedWorkers(count=2, seed=3)
    tally = dispatch(workers, 40, stopped=lambda: len(workers.committed) >= 5).run()
    assert 5 <= len(workers.committed) < 10
    assert tally.failed == len(workers.committed)


def test_lines_that_all_workers_say_are_shown_once():
    class Talking(PlayedWorkers):
        def life(self, worker: int) -> Iterator[Message | None]:
            yield Note("numpy, grid 16x16")
            yield from super().life(worker)

    progress = Told()
    dispatch(Talking(count=3, seed=0), 9, progress).run()
    assert len(progress.messages) == 1


def test_what_stood_still_longest_of_all_workers_is_kept():
    run = dispatch(PlayedWorkers(count=3, seed=5), 30)
    run.run()
    assert run.stalls == {"read": 2.0}


@pytest.mark.parametrize(
    "message",
    [
        Ready(),
        Rows(1, 0),
        Done(7),
        Idle([4], {"read": 2.5}),
        Note("ä\n"),
        Failed("UsageError", "x"),
    ],
    ids=lambda message: message.kind,
)
def test_messages_come_through_as_one_line(message):
    line = encode_message(message)
    assert "\n" not in line
    assert decode_message(line) == message
