"""What SIGINT and SIGTERM do: ask first, where the job can keep what it has made, then end it."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_ASKED: Final = b"stopping after the batch in hand; once more to stop at once\n"
_GONE: Final = b"stopped without clearing away; what is stored is whole\n"
_SHOW_CURSOR: Final = b"\r\x1b[?25h"
"""Meters hide it."""
_PATIENCE_S: Final = 3.0
"""How long clearing away is left alone."""


class Terminated(BaseException):
    """SIGTERM arrived; raised in the main thread so that what is in hand is dropped whole."""


def end_at_once(number: int, _frame: FrameType | None) -> None:
    """A signal handler that ends the body with an exception, once.

    Further signals raise nothing: a second exception, in the middle of what clears away after the
    first one, would cost both. Seconds later they end the process without clearing away, as SIGKILL
    does: a thread that reads from a disk that hangs may be waited for by then.

    Raises:
        KeyboardInterrupt: SIGINT arrived.
        Terminated: another signal did.
    """
    for each in _SIGNALS:
        signal.signal(each, _Insistence(number, monotonic()))
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated


@dataclass(frozen=True, slots=True)
class _Insistence:
    """A signal handler for what arrives after the signal `number` ended the body at `since`."""

    number: int
    since: float

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        if monotonic() - self.since >= _PATIENCE_S:
            with suppress(OSError):
                os.write(2, _SHOW_CURSOR + _GONE if os.isatty(2) else _GONE)
            os._exit(128 + self.number)


def ignore_if_ended() -> None:
    """Ignores signals up to the end of the process, where one has ended the body.

    The interpreter gives signals that have a handler back their own effect as it ends.
    """
    for each in _SIGNALS:
        if isinstance(signal.getsignal(each), _Insistence):
            signal.signal(each, signal.SIG_IGN)


def signal_behind(error: BaseException | None) -> KeyboardInterrupt | Terminated | None:
    """The exception of a signal that an error is, or that it came of, if any.

    What is raised in the middle of a library's locks or of another's clearing up may come out as
    an error of theirs.
    """
    while error is not None and not isinstance(error, KeyboardInterrupt | Terminated):
        error = error.__cause__ or error.__context__
    return error


class StopRequest:
    """Whether a signal has asked the job to end soon."""

    def __init__(self) -> None:
        self._number: int | None = None

    def is_requested(self) -> bool:
        """Whether one has."""
        return self._number is not None

    def handle(self, number: int, frame: FrameType | None) -> None:
        """A signal handler: the first one asks, the second one ends the job.

        Raises:
            KeyboardInterrupt, Terminated: as `end_at_once`.
        """
        if self._number is not None:
            end_at_once(number, frame)
        self._number = number
        # Not print: the signal may have arrived in the middle of one.
        with suppress(OSError):
            os.write(2, _ASKED)

    def finish(self) -> None:
        """Ends the command as the signal wants it, once the job has ended.

        Raises:
            KeyboardInterrupt, Terminated: a signal has asked.
        """
        if self._number is not None:
            end_at_once(self._number, None)


@contextmanager
def soft_stop() -> Iterator[StopRequest]:
    """While the body runs, the first SIGINT or SIGTERM asks and the second one ends.

    A signal that was ignored before, as by a shell that starts jobs in the background, stays so.

    Raises:
        KeyboardInterrupt, Terminated: a signal arrived.
    """
    request = StopRequest()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, request.handle)
    try:
        yield request
        request.finish()
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) == request.handle:
                signal.signal(number, handler)
