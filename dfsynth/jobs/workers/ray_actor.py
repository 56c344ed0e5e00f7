"""A worker as Ray's actor. Ray alone imports this on other machines; it needs nothing of Ray.

Arguments and results are texts and numbers: nothing of ours goes through Ray's object store but
lines of a few dozen bytes.
"""

import os
import platform
import threading
from queue import Empty, SimpleQueue
from typing import Final

from dfsynth.jobs.workers.installed_code import code_digest
from dfsynth.jobs.workers.messages import decode_options, encode_message
from dfsynth.jobs.workers.worker import ShardWorker
from dfsynth.version import __version__

THREADS: Final = 4
"""Calls that an actor answers at a time: serving, hearing, giving, stopping."""


class RayActor:
    """One worker; `serve` runs as long as the actor lives, the other calls beside it."""

    def __init__(self, options: str, cores: int) -> None:
        """Opens and reads nothing: whoever started it asks first what code it runs.

        Args:
            options: Of the build, as `encode_options` gives them.
            cores: That this worker may use.
        """
        self._options = options
        self._cores = cores
        self._told: SimpleQueue[str] = SimpleQueue()
        self._mutex = threading.Lock()
        self._worker: ShardWorker | None = None

    def describe(self) -> tuple[str, str, str, int]:
        """Version and code of dfsynth, the machine's name, and the process here."""
        return __version__, code_digest(), platform.node(), os.getpid()

    def resolve_precision(self, wanted: str) -> str:
        """See `ShardWorker`."""
        return self._opened().resolve_precision(wanted)

    def images_per_s(self, precision: str, grid: tuple[int, int]) -> float:
        """See `ShardWorker`."""
        return self._opened().images_per_s(precision, grid)

    def serve(self) -> None:
        """See `ShardWorker`."""
        self._opened().serve()

    def heard(self, timeout_s: float) -> list[str]:
        """What the worker said since, as lines; waits for the first word, but not forever."""
        lines = []
        try:
            lines.append(self._told.get(timeout=timeout_s))
            while True:
                lines.append(self._told.get_nowait())
        except Empty:
            return lines

    def give(self, shards: list[int]) -> None:
        """See `ShardWorker`."""
        self._opened().give(shards)

    def stop(self) -> None:
        """See `ShardWorker`."""
        self._opened().stop()

    def end(self) -> None:
        """Ends it after the batch in hand."""
        self._opened().stop()
        self._opened().end()

    def _opened(self) -> ShardWorker:
        """The worker, made by the first of the calls, which arrive in no order."""
        with self._mutex:
            if self._worker is None:
                self._worker = ShardWorker(
                    decode_options(self._options),
                    self._cores,
                    lambda message: self._told.put(encode_message(message)),
                )
            return self._worker
