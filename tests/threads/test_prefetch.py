"""Results that lay ready when one was taken are counted as they finish."""

from concurrent.futures import Executor, Future
from typing import Any

from dfsynth.threads.prefetch import Prefetch


class AtOnce(Executor):
    """Does the work when it is given."""

    def submit(self, fn, /, *arguments, **named):
        future: Future[Any] = Future()
        future.set_result(fn(*arguments, **named))
        return future


def test_what_lies_ready_is_averaged_over_what_was_taken():
    ahead = Prefetch(AtOnce(), str, range(4), 3)
    assert ahead.mean_ready == 0
    assert list(ahead) == [(number, str(number)) for number in range(4)]
    assert ahead.mean_ready == (3 + 3 + 2 + 1) / 4
