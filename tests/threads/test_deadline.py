"""A call that takes too long is given up; nothing waits for it, and its thread is replaced."""

import threading

import pytest

from dfsynth.errors import DfsynthError
from dfsynth.threads import deadline
from dfsynth.threads.deadline import deadline_pool

LONG_S = 1e6


@pytest.fixture
def clock(monkeypatch):
    """Time that passes only where a test says so."""
    now = [0.0]
    monkeypatch.setattr(deadline, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def never():
    """What no call gets past before the test has ended."""
    gate = threading.Event()
    yield gate
    gate.set()


def late(arguments, stuck):
    if stuck > 2:
        raise DfsynthError(f"{stuck} stand still")
    return f"{arguments[0]} is late"


def test_results_and_errors_are_handed_on():
    with deadline_pool("t", 2, LONG_S, late) as pool:
        assert [pool.submit(pow, 2, n).result() for n in range(5)] == [1, 2, 4, 8, 16]
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result()


def test_a_late_call_is_given_up_and_others_go_on_in_its_place(clock, never):
    begun = threading.Event()

    def stand_still(_name):
        begun.set()
        never.wait()

    with deadline_pool("t", 1, 5.0, late) as pool:
        stuck = pool.submit(stand_still, "a")
        behind = pool.submit(pow, 3, 2)
        assert begun.wait(LONG_S)
        clock[0] = 4.9
        assert not stuck.done()
        clock[0] = 5.0
        assert stuck.result() == "a is late"
        assert behind.result() == 9, "its time began when its turn came"
        clock[0] = 100.0
        assert pool.submit(pow, 3, 3).result() == 27
    # Leaving the pool did not wait for the call that stands still.
    assert not never.is_set()


def test_too_many_that_stand_still_are_an_error_of_all(clock, never):
    begun = threading.Semaphore(0)

    def stand_still(_name):
        begun.release()
        never.wait()

    with deadline_pool("t", 3, 5.0, late) as pool:
        calls = [pool.submit(stand_still, name) for name in "abc"]
        for _ in calls:
            assert begun.acquire(timeout=LONG_S)
        clock[0] = 6.0
        ended = [call.exception() for call in calls]
    assert [str(error) for error in ended if error is not None] == ["3 stand still"]


def test_what_has_not_begun_is_dropped_and_nothing_is_taken_afterwards(never):
    begun = threading.Event()

    def hold(_name):
        begun.set()
        never.wait()
        return "held"

    with deadline_pool("t", 1, LONG_S, late) as pool:
        running = pool.submit(hold, "a")
        waiting = pool.submit(pow, 1, 1)
        assert begun.wait(LONG_S)
        threading.Timer(0, never.set).start()
    assert running.result() == "held"
    assert waiting.cancelled() or waiting.result() == 1
    with pytest.raises(RuntimeError, match="shut down"):
        pool.submit(pow, 1, 1)


def test_keyword_arguments_are_refused():
    with (
        deadline_pool("t", 1, LONG_S, late) as pool,
        pytest.raises(TypeError, match="no keyword arguments"),
    ):
        pool.submit(int, "7", base=8)
