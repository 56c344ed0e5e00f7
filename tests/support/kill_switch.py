"""kill -9 at a chosen call: the calling process counts what it asks of the disk, and dies."""

import os
import signal
import sys


def is_disk_call(function: object) -> bool:
    """Whether a built-in is a call into the operating system or of a stream."""
    owner = type(getattr(function, "__self__", None)).__module__
    return owner == "_io" or getattr(function, "__module__", None) in {"posix", "_io", "io"}


def kill_at_call(number: int) -> None:
    """From now on, counts this thread's disk calls and dies before the `number`-th."""
    count = 0

    def watch(_frame: object, event: str, argument: object) -> None:
        nonlocal count
        if event == "c_call" and is_disk_call(argument):
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
