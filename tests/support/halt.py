"""A process that halts at a chosen call until its parent has done there what it wants."""

import signal
import sys
import threading
import time
from typing import Any


def halt_before(owner: type, method: str, number: int, own_signal: int = 0) -> None:
    """From now on, the `number`-th call of a method says so on stdout and waits for a line.

    A signal that the parent sends before that line has arrived when the call goes on: nothing
    depends on how fast either of them is. `own_signal` is one that the halted thread sends itself
    once the main thread sleeps: no lock of the main thread is woken by it.
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
            if own_signal:
                time.sleep(1)
                signal.pthread_kill(threading.get_ident(), own_signal)
            print("halted", flush=True)
            sys.stdin.readline()
        return called(*arguments)

    setattr(owner, method, call_or_halt)
