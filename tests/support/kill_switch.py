"""kill -9 at a chosen call: the calling process counts what it changes on the disk, and dies."""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable

_CHANGES = frozenset(
    {"open", "write", "flush", "close", "truncate", "mkdir", "rmdir", "unlink", "rename", "replace"}
)
_IN_MEMORY = frozenset({"StringIO", "BytesIO"})


def changes_the_disk(function: object) -> bool:
    """Whether a built-in may change what lies on the disk.

    Between two of these a kill leaves the same behind wherever it falls, so that one is enough.
    """
    if getattr(function, "__name__", None) not in _CHANGES:
        return False
    owner = type(getattr(function, "__self__", None))
    of_stream = owner.__module__ == "_io" and owner.__name__ not in _IN_MEMORY
    return of_stream or getattr(function, "__module__", None) in {"posix", "_io", "io"}


def kill_at_call(number: int, in_threads: bool = False) -> None:
    """From now on, counts this thread's changes of the disk and dies before the `number`-th.

    With `in_threads`, those of threads that start from now on count as well.
    """
    count = 0

    def watch(_frame: object, event: str, argument: object) -> None:
        nonlocal count
        if event == "c_call" and changes_the_disk(argument):
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)

    if in_threads:
        threading.setprofile(watch)
    sys.setprofile(watch)


def is_killed(act: Callable[[], object], number: int | None, in_threads: bool = False) -> bool:
    """Whether a forked process that does something was killed before its `number`-th change.

    Without a number it is not.

    Raises:
        RuntimeError: it ended in another way than done or killed.
    """
    process = os.fork()
    if process == 0:
        status = 1
        try:
            if number is not None:
                kill_at_call(number, in_threads)
            act()
            status = 0
        except BaseException:
            sys.setprofile(None)
            traceback.print_exc()
            sys.stderr.flush()
            raise
        finally:
            sys.setprofile(None)
            os._exit(status)
    ended = os.waitpid(process, 0)[1]
    if ended not in (0, signal.SIGKILL):
        raise RuntimeError(f"the process to be killed at change {number} ended with {ended}")
    return ended == signal.SIGKILL
