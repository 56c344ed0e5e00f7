"""A process that halts at a chosen call until its parent has done there what it wants."""

import sys
import threading
from typing import Any


def halt_before(owner: type, method: str, number: int) -> None:
    """From now on, the `number`-th call of a method says so on stdout and waits for a line.

    A signal that the parent sends before that line has arrived when the call goes on: nothing
    depends on how fast either of them is.
    """
    called = getattr(owner, method)
    lock = threading.Lock()
    calls = 0

    def call_or_halt(*arguments: Any) -> Any:
        nonlocal calls
        with lock:
            calls += 1
            halts = calls == number
        if halts:
            print("halted", flush=True)
            sys.stdin.readline()
        return called(*arguments)

    setattr(owner, method, call_or_halt)
