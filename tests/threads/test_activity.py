"""The watchdog names the stage that stands still, and is silent while anything moves."""

import threading

import pytest

from dfsynth.threads import activity as module
from dfsynth.threads.activity import Activity, watchdog


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


def test_nothing_to_do_is_no_standstill(clock):
    activity = Activity()
    clock[0] = 1000.0
    assert activity.standstill(60) is None


def test_the_longest_call_is_named_once_nothing_has_ended_for_long(clock):
    activity = Activity()
    with activity.doing("read", "a.png"):
        clock[0] = 10.0
        with activity.doing("decode", "b.png"):
            clock[0] = 69.0
            assert activity.standstill(60) is not None
        # Something ended: it moves, slow as the first may be.
        assert activity.standstill(60) is None
        clock[0] = 130.0
        found = activity.standstill(60)
        assert found is not None
        assert (found.stage, found.item, found.seconds) == ("read", "a.png", 61.0)
    assert activity.standstill(60) is None
    assert activity.longest == {"read": 69.0}


def test_a_pause_before_a_call_is_not_its_own(clock):
    activity = Activity()
    clock[0] = 500.0
    with activity.doing("write", "shard 0"):
        assert activity.standstill(60) is None
        clock[0] = 561.0
        assert activity.standstill(60) is not None


def test_calls_and_waits_are_summed_over_all_threads(clock):
    activity = Activity()
    with activity.running():
        with activity.doing("read", "a.png"):
            clock[0] = 2.0
            with activity.doing("read", "b.png"):
                clock[0] = 5.0
        with activity.waiting("inputs"):
            clock[0] = 9.0
            assert activity.standstill(1) is None, "a wait is no call"
    assert (activity.busy, activity.waited) == ({"read": 8.0}, {"inputs": 4.0})
    assert activity.running_s == 9.0


def test_a_line_is_told_from_beside_the_run(clock):
    activity, told, heard = Activity(), [], threading.Event()

    def tell(line):
        told.append(line)
        heard.set()

    with activity.doing("generate", "c.png"):
        clock[0] = 42.0
        with watchdog(activity, tell, limit_s=0.01):
            assert heard.wait(1e6)
    assert told == ["nothing has moved for 42 s: the stage generate stands still at 'c.png'"]
