"""Signals that are put off all arrive; one at any instruction leaves a pool of threads whole."""

import signal
import sys
import threading
from functools import partial

import pytest

from dfsynth.threads.deadline import DeadlinePool
from dfsynth.threads.pool import ThreadPool, is_done, result_of
from dfsynth.threads.prefetch import Prefetch
from dfsynth.threads.signals import signals_put_off

_LOCKING = ("threading.py", "_base.py", "thread.py", "pool.py", "prefetch.py", "deadline.py")


def test_a_signal_that_was_put_off_is_raised_though_the_body_failed():

    def fail():
        signal.raise_signal(signal.SIGINT)
        raise OSError("full")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt) as found, signals_put_off():
            fail()
    finally:
        signal.signal(signal.SIGINT, before)
    assert str(found.value.__context__) == "full"


def test_all_that_arrive_in_a_short_body_come_in_their_order():
    arrived = []
    numbers = [signal.SIGTERM, signal.SIGINT, signal.SIGINT]
    before = {n: signal.signal(n, lambda number, _: arrived.append(number)) for n in set(numbers)}
    try:
        with signals_put_off(at_most_one=False):
            for number in numbers:
                signal.raise_signal(number)
            assert not arrived
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert arrived == numbers


class SignalAt:
    """Raises SIGINT before the `number`-th instruction of what takes locks, in this thread."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, frame, event, _):
        if not frame.f_code.co_filename.endswith(_LOCKING):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            self.left -= 1
            if self.left == 0:
                signal.raise_signal(signal.SIGINT)
        return self


def interrupted(number, body):
    """Whether the signal came before the body's end; nothing but its own exception may come out."""
    at, before = SignalAt(number), signal.signal(signal.SIGINT, signal.default_int_handler)
    found = False
    try:
        sys.settrace(at)
        body()
    except KeyboardInterrupt:
        found = True
    finally:
        sys.settrace(None)
        signal.signal(signal.SIGINT, before)
    assert found or at.left > 0, "the signal was lost"
    return found


def ends(pool):
    """Whether all threads of a pool end; in a thread, since those of a broken one never do."""
    ended = threading.Thread(target=pool.shutdown, kwargs={"cancel_futures": True}, daemon=True)
    ended.start()
    ended.join(60)
    return not ended.is_alive()


def submitted_and_waited_for(pool, gate):
    future = pool.submit(gate.wait, 0.001)
    is_done(future)
    result_of(future)


def prefetched(pool, gate):
    list(Prefetch(pool, gate.wait, [0.001], 1))


def with_deadline():
    return DeadlinePool("reader", 1, 60, lambda *_: None)


@pytest.mark.parametrize("body", [submitted_and_waited_for, prefetched])
@pytest.mark.parametrize("kind", [partial(ThreadPool, 1), with_deadline])
def test_a_signal_at_any_instruction_leaves_a_pool_whole(kind, body):
    number = 1
    while True:
        pool = kind()
        result_of(pool.submit(int))
        gone_on = interrupted(number, partial(body, pool, threading.Event()))
        assert ends(pool), f"instruction {number}"
        if not gone_on:
            break
        number += 5  # each one would take half a minute
    assert number > 100, "what is tried is the whole call"
